namespace Coppice.Cli.Stores;

/// <summary>A store and the manager that this process has on it.</summary>
internal sealed class StoreHost(ITaskStore store, BackgroundTaskManager manager, TroubleLog troubles) : IAsyncDisposable
{
    public BackgroundTaskManager Manager => manager;

    /// <summary>Gets what hears of trouble with the store.</summary>
    public TroubleLog Troubles => troubles;

    public async ValueTask DisposeAsync()
    {
        await manager.DisposeAsync();
        await store.DisposeAsync();
    }
}
