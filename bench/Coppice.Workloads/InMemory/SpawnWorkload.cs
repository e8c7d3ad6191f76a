using System.Diagnostics;
using System.Globalization;

namespace Coppice.Workloads;

/// <summary>Tasks spawned to terminal in memory, all kept, with their mail.</summary>
internal static class SpawnWorkload
{
    internal static async Task<Figures> RunAsync(Parameters parameters)
    {
        var tasks = parameters.Int("tasks", 1_000_000);
        var callers = parameters.Int("callers", 1);
        await WarmUp.RunAsync(parameters.Int("warmup", 1500), () => MeasureAsync(Math.Min(tasks, 50_000), callers));
        return new Figures { ["per_second"] = await MeasureAsync(tasks, callers) };
    }

    /// <summary>Gets tasks a second, from the first spawn until the last has ended.</summary>
    private static async Task<double> MeasureAsync(int tasks, int callers)
    {
        await using var store = new InMemoryTaskStore();
        await using var manager = await BackgroundTaskManager.StartAsync(store);
        var start = Stopwatch.GetTimestamp();
        await Callers.RunAsync(callers, caller => SpawnAsync(manager, caller, tasks / callers));
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;

        // The store is still here, so the collector cannot take what the run made while it is measured.
        return store.MailDepth == tasks / callers * callers
            ? tasks / seconds
            : throw new InvalidOperationException($"There is mail of {store.MailDepth} tasks, not of {tasks}.");
    }

    internal static async Task SpawnAsync(BackgroundTaskManager manager, int caller, int count)
    {
        var thread = "thread-" + caller.ToString(CultureInfo.InvariantCulture);
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
