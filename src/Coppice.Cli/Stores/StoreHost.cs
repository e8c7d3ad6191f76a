namespace Coppice.Cli.Stores;

/// <summary>A store and the manager that this process has on it.</summary>
internal sealed class StoreHost(ITaskStore store, BackgroundTaskManager manager) : IAsyncDisposable
{
    public BackgroundTaskManager Manager => manager;

    /// <summary>Gets a reader of the same store; it needs no disposal of its own.</summary>
    public TaskReader Reader { get; } = new(store);

    public async ValueTask DisposeAsync()
    {
        await manager.DisposeAsync();
        await store.DisposeAsync();
    }
}
