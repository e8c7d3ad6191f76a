using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Coppice.Testing;

/// <summary>Bounds the shutdown of a manager under dependency injection, and fails the host's stop when bodies outlive it.</summary>
internal sealed class HostedTestShutdown(BackgroundTaskManager manager, IOptions<BackgroundTaskOptions> options) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    // Registered after the manager's own hosted service, so stopped before it: that one then finds the manager disposed, and closes the store.
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await BoundedShutdown.RunAsync(manager.DisposeAsync().AsTask(), options.Value.TimeProvider, options.Value.ShutdownGracePeriod)
            .ConfigureAwait(false);
        if (await BoundedShutdown.FindStuckAsync(manager, options.Value.ShutdownGracePeriod).ConfigureAwait(false) is { } failure)
        {
            throw failure;
        }
    }
}
