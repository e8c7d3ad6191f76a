using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Coppice.StoreContract;

/// <summary>What managers have logged.</summary>
public sealed class WatchedLog : ILoggerFactory, ILogger
{
    private readonly ConcurrentDictionary<int, Signal> _signals = new();

    /// <summary>Gets the messages, in order.</summary>
    public ConcurrentQueue<LoggedMessage> Messages { get; } = new();

    /// <summary>The messages of an id, in order.</summary>
    /// <param name="id">The id.</param>
    public IReadOnlyList<LoggedMessage> Of(int id) => [.. Messages.Where(message => message.Id == id)];

    /// <summary>Waits for a message of an id, unless there is one.</summary>
    /// <param name="id">The id.</param>
    public Task UntilAsync(int id) => SignalOf(id).Task;

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => this;

    /// <inheritdoc/>
    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException("It keeps what is logged itself.");

    /// <inheritdoc/>
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    /// <inheritdoc/>
    public bool IsEnabled(LogLevel logLevel) => true;

    /// <inheritdoc/>
    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        ArgumentNullException.ThrowIfNull(formatter);
        var fields = (state as IEnumerable<KeyValuePair<string, object?>> ?? []).ToDictionary(static field => field.Key, static field => field.Value);
        Messages.Enqueue(new LoggedMessage(eventId.Id, logLevel, formatter(state, exception), fields, exception));
        SignalOf(eventId.Id).Set();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private Signal SignalOf(int id) => _signals.GetOrAdd(id, static _ => new Signal());
}
