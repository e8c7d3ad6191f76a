using Microsoft.Extensions.Logging;

namespace Coppice.ClusterHost;

/// <summary>The warnings and errors of the library, among the lines of the history, for whoever looks for the cause of something.</summary>
internal sealed class TroubleLog(HostLog log) : ILoggerFactory, ILogger
{
    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (logLevel >= LogLevel.Warning || eventId.Name is "HostJoined" or "HostSettled" or "HostFenced")
        {
            log.Write($"# {eventId.Name} {formatter(state, exception)} {exception?.Message} {(exception is TaskStoreException ? exception.InnerException?.ToString() : exception)}");
        }
    }

    public void Dispose()
    {
    }
}
