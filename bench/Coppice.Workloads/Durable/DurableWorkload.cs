namespace Coppice.Workloads;

/// <summary>Tasks of a registered kind spawned to terminal in memory, all kept, with their mail.</summary>
internal static class DurableWorkload
{
    internal static Task<Figures> RunAsync(Parameters parameters) => InMemoryRun.RunAsync(parameters, 500_000, MeasureAsync);

    /// <summary>Runs so many for one caller, in a new store.</summary>
    internal static Task SpawnAsync(int tasks) => MeasureAsync(tasks, callers: 1);

    private static async Task<double> MeasureAsync(int tasks, int callers)
    {
        await using var store = new InMemoryTaskStore();
        await using var manager = await BackgroundTaskManager.StartAsync(store, DurableKinds.EchoOptions());
        return await InMemoryRun.MeasureAsync(tasks, callers, (thread, count) => SpawnAsync(manager, thread, count), () => store.MailDepth);
    }

    private static async Task SpawnAsync(BackgroundTaskManager manager, string thread, int count)
    {
        for (var i = 0; i < count; i++)
        {
            await manager.SpawnAsync(DurableKinds.Echo, thread, DurableKinds.Value);
        }

        while (await manager.HasRunningAsync(thread))
        {
            await Task.Yield();
        }
    }
}
