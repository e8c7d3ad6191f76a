using Microsoft.Extensions.Logging;

namespace Coppice.Cli.Stores;

/// <summary>
/// Hears from the manager that the store fails for the moment. The manager tries again by itself; whoever waits in front of the command
/// has to know why nothing happens. The same trouble is told once.
/// </summary>
internal sealed class TroubleLog(Action<string> tell) : ILoggerFactory, ILogger
{
    private readonly HashSet<string> _told = new(StringComparer.Ordinal);

    /// <summary>Gets or sets who is told.</summary>
    public Action<string> Tell { get; set; } = tell;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (exception is not TaskStoreException trouble)
        {
            return;
        }

        lock (_told)
        {
            if (!_told.Add(trouble.Code))
            {
                return;
            }
        }

        Tell($"{trouble.Message} It is tried again.");
    }

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void AddProvider(ILoggerProvider provider)
    {
        // There is only this one place to tell it.
    }

    public void Dispose()
    {
        // Nothing is held.
    }
}
