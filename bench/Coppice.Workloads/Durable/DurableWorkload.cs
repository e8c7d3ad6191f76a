using System.Diagnostics;
using System.Globalization;

namespace Coppice.Workloads;

/// <summary>Tasks of a registered kind spawned to terminal in memory, all kept, with their mail.</summary>
internal static class DurableWorkload
{
    internal static async Task<Figures> RunAsync(Parameters parameters)
    {
        var tasks = parameters.Int("tasks", 500_000);
        var callers = parameters.Int("callers", 1);
        await WarmUp.RunAsync(parameters.Int("warmup", 1500), () => MeasureAsync(Math.Min(tasks, 50_000), callers));
        return new Figures { ["per_second"] = await MeasureAsync(tasks, callers) };
    }

    /// <summary>Runs so many for one caller, in a new store.</summary>
    internal static Task SpawnAsync(int tasks) => MeasureAsync(tasks, callers: 1);

    private static async Task<double> MeasureAsync(int tasks, int callers)
    {
        await using var store = new InMemoryTaskStore();
        await using var manager = await BackgroundTaskManager.StartAsync(store, DurableKinds.EchoOptions());
        var start = Stopwatch.GetTimestamp();
        await Callers.RunAsync(callers, caller => SpawnAsync(manager, caller, tasks / callers));
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        return store.MailDepth == tasks / callers * callers
            ? tasks / seconds
            : throw new InvalidOperationException($"There is mail of {store.MailDepth} tasks, not of {tasks}.");
    }

    private static async Task SpawnAsync(BackgroundTaskManager manager, int caller, int count)
    {
        var thread = "thread-" + caller.ToString(CultureInfo.InvariantCulture);
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
