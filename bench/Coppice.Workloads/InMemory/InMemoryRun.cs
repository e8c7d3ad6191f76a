using System.Diagnostics;
using System.Globalization;

namespace Coppice.Workloads;

/// <summary>Tasks spawned to terminal in memory by callers that own a thread each, all kept, with their mail.</summary>
internal static class InMemoryRun
{
    /// <summary>Gets the rate that a measurement of so many tasks by so many callers finds once it is warm.</summary>
    internal static async Task<Figures> RunAsync(Parameters parameters, int defaultTasks, Func<int, int, Task<double>> measure)
    {
        var tasks = parameters.Int("tasks", defaultTasks);
        var callers = parameters.Int("callers", 1);
        await WarmUp.RunAsync(parameters.Int("warmup", 1500), () => measure(Math.Min(tasks, 50_000), callers));
        return new Figures { ["per_second"] = await measure(tasks, callers) };
    }

    /// <summary>Gets tasks a second, from the first spawn until the last has ended.</summary>
    /// <param name="tasks">How many by all callers.</param>
    /// <param name="callers">How many callers.</param>
    /// <param name="spawn">Spawns so many in a thread and waits until none of them is left.</param>
    /// <param name="mailDepth">How much mail there is. It holds the store, so that the collector cannot take what is measured.</param>
    internal static async Task<double> MeasureAsync(int tasks, int callers, Func<string, int, Task> spawn, Func<long> mailDepth)
    {
        var share = tasks / callers;
        var start = Stopwatch.GetTimestamp();
        await Callers.RunAsync(callers, caller => spawn("thread-" + caller.ToString(CultureInfo.InvariantCulture), share));
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        return mailDepth() == share * callers
            ? tasks / seconds
            : throw new InvalidOperationException($"There is mail of {mailDepth()} tasks, not of {tasks}.");
    }
}
