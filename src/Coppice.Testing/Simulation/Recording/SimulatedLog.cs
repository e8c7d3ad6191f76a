using Microsoft.Extensions.Logging;

namespace Coppice.Testing;

/// <summary>Writes what a host logs into the history, warnings and worse.</summary>
internal sealed class SimulatedLog(Recorder recorder, SimulatedProcess process) : ILoggerFactory, ILogger
{
    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider)
    {
        // It all goes into the history.
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
        {
            recorder.Add(new Logged(process, eventId.Id, formatter(state, exception), exception));
        }
    }

    public void Dispose()
    {
        // There is nothing to let go of.
    }
}
