using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Coppice;

/// <summary>Takes clock, loggers, meters and transport from the application. What the user configures comes after it, and wins.</summary>
internal sealed class BackgroundTaskOptionsFromServices(
    TimeProvider? time = null, ILoggerFactory? loggers = null, IMeterFactory? meters = null, IMessageTransport? transport = null) : IConfigureOptions<BackgroundTaskOptions>
{
    public void Configure(BackgroundTaskOptions options)
    {
        options.TimeProvider = time ?? options.TimeProvider;
        options.LoggerFactory = loggers ?? options.LoggerFactory;
        options.MeterFactory = meters ?? options.MeterFactory;
        options.MessageTransport = transport ?? options.MessageTransport;
    }
}
