using System.Diagnostics;
using System.Globalization;

namespace Coppice.Benchmarks;

/// <summary>How many tasks a second go from spawn to terminal in memory, every end awaited.</summary>
internal static class ThroughputBenchmark
{
    private const int Tasks = 400_000;
    private const int Runs = 7;
    private const double Goal = 250_000;

    private static readonly int[] Callers = [1, 2];

    internal static async Task<Report> RunAsync()
    {
        var rates = Callers.ToDictionary(callers => callers, _ => new List<double>());
        for (var run = 0; run < Runs; run++)
        {
            foreach (var callers in Callers)
            {
                rates[callers].Add(await RunOnceAsync(callers));
            }

            Console.WriteLine($"throughput: run {run + 1} of {Runs}");
        }

        var report = new Report(
            "Spawn to terminal, in memory",
            $"{Report.Thousands(Tasks)} tasks whose body returns at once, kept, in a new store each run. Each caller has a thread of its own, "
            + "awaits each spawn, and then asks until none of its tasks is live.",
            "callers", "tasks/s", "lowest", "highest", $"goal: over {Report.Thousands(Goal)}");
        foreach (var (callers, all) in rates)
        {
            var median = Report.Median(all.Skip(2));
            report.Add(
                callers.ToString(CultureInfo.InvariantCulture), Report.Thousands(median), Report.Thousands(all.Skip(2).Min()),
                Report.Thousands(all.Skip(2).Max()), report.Goal(median > Goal));
        }

        return report;
    }

    private static async Task<double> RunOnceAsync(int callers)
    {
        GC.Collect();
        await using var store = new InMemoryTaskStore();
        await using var manager = await BackgroundTaskManager.StartAsync(store);
        var start = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, callers).Select(caller => Task.Run(() => SpawnAsync(manager, caller, Tasks / callers))));
        return Tasks / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static async Task SpawnAsync(BackgroundTaskManager manager, int caller, int count)
    {
        var thread = "caller-" + caller.ToString(CultureInfo.InvariantCulture);
        for (var i = 0; i < count; i++)
        {
            await manager.SpawnAsync(thread, static _ => Task.CompletedTask);
        }

        // Whether any is left costs next to nothing to ask; a wait for each would be measured too.
        while (await manager.HasRunningAsync(thread))
        {
            await Task.Yield();
        }
    }
}
