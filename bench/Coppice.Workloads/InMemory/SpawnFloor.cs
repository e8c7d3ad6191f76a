using System.Diagnostics;
using System.Globalization;

namespace Coppice.Workloads;

/// <summary>
/// The smallest program that does what a spawn to terminal has to: a record with a token source, found by its id and from its thread, an
/// empty body run by the thread pool, and a mail record. No manager, no laws.
/// </summary>
internal static class SpawnFloor
{
    internal static async Task<Figures> RunAsync(Parameters parameters)
    {
        var tasks = parameters.Int("tasks", 1_000_000);
        var callers = parameters.Int("callers", 1);
        await WarmUp.RunAsync(parameters.Int("warmup", 1500), () => MeasureAsync(Math.Min(tasks, 50_000), callers));
        return new Figures { ["per_second"] = await MeasureAsync(tasks, callers) };
    }

    private static async Task<double> MeasureAsync(int tasks, int callers)
    {
        var store = new FloorStore(callers);
        var start = Stopwatch.GetTimestamp();
        await Callers.RunAsync(callers, caller => SpawnAsync(store, caller, tasks / callers));
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        return store.MailDepth == tasks / callers * callers
            ? tasks / seconds
            : throw new InvalidOperationException($"There is mail of {store.MailDepth} tasks, not of {tasks}.");
    }

    private static async Task SpawnAsync(FloorStore store, int caller, int count)
    {
        var thread = "thread-" + caller.ToString(CultureInfo.InvariantCulture);
        for (var i = 0; i < count; i++)
        {
            store.Spawn(thread, Bodies.Empty);
        }

        while (store.HasRunning(thread))
        {
            await Task.Yield();
        }
    }
}
