using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Coppice;

/// <summary>Takes clock, loggers, meters, transport and kinds of task from the application. What the user configures comes after it, and wins.</summary>
internal sealed class BackgroundTaskOptionsFromServices(
    IServiceScopeFactory scopes,
    IEnumerable<TaskRegistration> tasks,
    TimeProvider? time = null,
    ILoggerFactory? loggers = null,
    IMeterFactory? meters = null,
    IMessageTransport? transport = null) : IConfigureOptions<BackgroundTaskOptions>
{
    public void Configure(BackgroundTaskOptions options)
    {
        options.TimeProvider = time ?? options.TimeProvider;
        options.LoggerFactory = loggers ?? options.LoggerFactory;
        options.MeterFactory = meters ?? options.MeterFactory;
        options.MessageTransport = transport ?? options.MessageTransport;
        foreach (var task in tasks)
        {
            // One kind may be registered more than once, as the rest of the services may.
            if (!options.Tasks.Contains(task.Kind))
            {
                options.Tasks.Add(task.Create(scopes));
            }
        }
    }
}
