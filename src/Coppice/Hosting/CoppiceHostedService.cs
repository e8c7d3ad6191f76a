using Microsoft.Extensions.Hosting;

namespace Coppice;

/// <summary>Opens the store and starts the manager with the host; drains the manager and closes the store when the host stops.</summary>
internal sealed class CoppiceHostedService(BackgroundTaskManager manager, TaskStoreOpener opener, IServiceProvider services)
    : IHostedService, IAsyncDisposable
{
    private ITaskStore? _store;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            _store = await opener.Open(services, cancellationToken).ConfigureAwait(false);
            await manager.StartOnAsync(_store, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            manager.FailStart(e);
            await DisposeAsync().ConfigureAwait(false);
            throw;
        }

        manager.Core.BeginNotifying();
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await manager.ShutDownAsync(cancellationToken).ConfigureAwait(false);
        await DisposeAsync().ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _store, null) is { } store)
        {
            await manager.ShutDownAsync(CancellationToken.None).ConfigureAwait(false);
            await store.DisposeAsync().ConfigureAwait(false);
        }
    }
}
