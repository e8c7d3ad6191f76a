namespace Coppice.Cluster.Tests;

/// <summary>A host within the process of the tests: a store and a manager of its own.</summary>
internal sealed class Host(PostgreSqlTaskStore store, BackgroundTaskManager manager) : IAsyncDisposable
{
    private readonly TaskCompletionSource _release = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal BackgroundTaskManager Manager => manager;

    internal PostgreSqlTaskStore Store => store;

    internal static async Task<Host> StartAsync(string connectionString, TimeSpan hostTimeout, int readers = 4, TimeProvider? time = null)
    {
        var store = await PostgreSqlTaskStore.OpenAsync(connectionString, new PostgreSqlTaskStoreOptions { ReaderConnections = readers });
        return new Host(store, await BackgroundTaskManager.StartAsync(store, new BackgroundTaskOptions
        {
            HostTimeout = hostTimeout,
            ShutdownGracePeriod = TimeSpan.Zero,
            TimeProvider = time ?? TimeProvider.System,
        }));
    }

    /// <summary>Spawns a task that goes on until <see cref="Release"/>, whatever happens to the database, and then completes.</summary>
    internal async Task<string> ParkAsync()
    {
        var running = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var id = await manager.SpawnAsync("parked", async context =>
        {
            running.SetResult();
            await _release.Task.WaitAsync(context.CancellationToken);
        });
        await running.Task;
        return id;
    }

    internal void Release() => _release.TrySetResult();

    public async ValueTask DisposeAsync()
    {
        Release();
        await manager.DisposeAsync();
        await store.DisposeAsync();
    }
}
