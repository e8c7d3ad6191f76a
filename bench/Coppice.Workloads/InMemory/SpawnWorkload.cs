namespace Coppice.Workloads;

/// <summary>Tasks spawned to terminal in memory, all kept, with their mail.</summary>
internal static class SpawnWorkload
{
    internal static Task<Figures> RunAsync(Parameters parameters) => InMemoryRun.RunAsync(parameters, 1_000_000, MeasureAsync);

    private static async Task<double> MeasureAsync(int tasks, int callers)
    {
        await using var store = new InMemoryTaskStore();
        await using var manager = await BackgroundTaskManager.StartAsync(store);
        return await InMemoryRun.MeasureAsync(tasks, callers, (thread, count) => SpawnAsync(manager, thread, count), () => store.MailDepth);
    }

    internal static async Task SpawnAsync(BackgroundTaskManager manager, string thread, int count)
    {
        for (var i = 0; i < count; i++)
        {
            await manager.SpawnAsync(thread, Bodies.Empty);
        }

        // Whether any is left costs next to nothing to ask; a wait for each would be measured too.
        while (await manager.HasRunningAsync(thread))
        {
            await Task.Yield();
        }
    }
}
