namespace Coppice.CrashChild;

/// <summary>One caller that spawns parked tasks one after the other: nothing else writes to the store.</summary>
internal static class SerialWorkload
{
    internal static async Task<int> RunAsync(string path, int count)
    {
        await using var store = await SqliteTaskStore.OpenAsync(path);
        await using var manager = await BackgroundTaskManager.StartAsync(store, new() { ShutdownGracePeriod = TimeSpan.Zero });
        Acknowledgements.Write("BEGIN");
        for (var i = 0; i < count; i++)
        {
            var id = await manager.SpawnAsync("serial", async context =>
            {
                await context.WhenCancelledAsync();
                return TaskOutcome.Cancelled;
            });
            Acknowledgements.Write("S " + id);
        }

        Acknowledgements.Write("END");
        return 0;
    }
}
