using System.Diagnostics;

namespace Coppice.Workloads;

/// <summary>
/// Whether an operation costs the same beside few and beside many other tasks. Both crowds are alive in one process and are measured in
/// short turns, one after the other, so that the collector, the clock of the processor and the neighbours on the machine meet both alike.
/// </summary>
internal static class CrowdWorkload
{
    internal static async Task<Figures> RunAsync(Parameters parameters)
    {
        var rounds = parameters.Int("rounds", 60);
        await using var few = await Crowd.GatherAsync(parameters.Int("few", 100));
        await using var many = await Crowd.GatherAsync(parameters.Int("many", 1_000_000));
        WarmUp.Collect();

        var figures = new Figures();
        foreach (var (name, operation) in Operations(parameters.Int("calls", 5000)))
        {
            var beside = (Few: new List<double>(), Many: new List<double>());
            for (var round = 0; round < rounds; round++)
            {
                // Who comes first alternates; a first turn that warms the caches up is not counted.
                foreach (var isFew in round % 2 == 0 ? new[] { true, false } : [false, true])
                {
                    var crowd = isFew ? few : many;
                    (isFew ? beside.Few : beside.Many).Add(await operation(crowd));
                }
            }

            var warm = rounds / 3;
            figures[name + "_few"] = Statistics.Median(beside.Few.Skip(warm));
            figures[name + "_many"] = Statistics.Median(beside.Many.Skip(warm));
        }

        return figures;
    }

    /// <summary>Each runs one turn and gets nanoseconds a call. All of them work on the same hundred tasks of the crowd's own thread.</summary>
    private static IEnumerable<(string Name, Func<Crowd, Task<double>> Turn)> Operations(int calls)
    {
        yield return ("get", async crowd =>
        {
            await TouchAsync(crowd);
            var start = Stopwatch.GetTimestamp();
            for (var i = 0; i < calls; i++)
            {
                await crowd.Manager.GetAsync(crowd.Own[i % Crowd.OwnTasks]);
            }

            return PerCall(start, calls);
        });

        yield return ("has_running", async crowd =>
        {
            await TouchAsync(crowd);
            var start = Stopwatch.GetTimestamp();
            for (var i = 0; i < calls; i++)
            {
                await crowd.Manager.HasRunningAsync(Crowd.OwnThread);
            }

            return PerCall(start, calls);
        });

        yield return ("name_check", async crowd =>
        {
            await TouchAsync(crowd);
            var start = Stopwatch.GetTimestamp();
            for (var i = 0; i < calls; i++)
            {
                await crowd.RefuseNameAsync(i % Crowd.OwnTasks);
            }

            return PerCall(start, calls);
        });

        yield return ("cancel", async crowd =>
        {
            var tasks = await crowd.SpawnParkedAsync(Crowd.CancelledThread);
            var start = Stopwatch.GetTimestamp();
            foreach (var task in tasks)
            {
                await crowd.Manager.CancelAsync(task);
            }

            var perCall = PerCall(start, tasks.Length);
            while (await crowd.Manager.HasRunningAsync(Crowd.CancelledThread))
            {
                await Task.Yield();
            }

            return perCall;
        });

        yield return ("send", async crowd =>
        {
            await TouchAsync(crowd);
            var from = new MessageSender(Crowd.OwnThread, "planner");
            var start = Stopwatch.GetTimestamp();
            for (var i = 0; i < Crowd.MessagesATurn; i++)
            {
                await crowd.Manager.SendAsync(crowd.Agent, from, "look at the diff");
            }

            var perCall = PerCall(start, Crowd.MessagesATurn);
            await crowd.EmptyInboxAsync();
            return perCall;
        });
    }

    /// <summary>Reads each of the hundred once, so that a turn does not start with what the other crowd left in the processor's caches.</summary>
    private static async Task TouchAsync(Crowd crowd)
    {
        for (var i = 0; i < Crowd.OwnTasks; i++)
        {
            await crowd.Manager.GetAsync(crowd.Own[i]);
            await crowd.RefuseNameAsync(i);
        }
    }

    private static double PerCall(long start, int calls) => Stopwatch.GetElapsedTime(start).TotalNanoseconds / calls;
}
