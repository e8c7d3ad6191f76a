namespace Coppice.Workloads;

/// <summary>How many ends of tasks a model never hears of when the process dies in the middle of its turn.</summary>
internal static class CrashWorkload
{
    internal static async Task<Figures> RunAsync(Parameters parameters)
    {
        var scenario = new CrashScenario(parameters.Int("tasks", 20), Enum.Parse<KeptHistory>(parameters.Text("keeps") ?? nameof(KeptHistory.Responses), ignoreCase: true));
        await scenario.ExploreAsync(parameters.Int("histories", 1000), parameters.Int("seed", 1), CancellationToken.None);
        if (scenario.SeedsThatMissed.Count > 0)
        {
            await Console.Error.WriteLineAsync($"Ends were missed with the seeds {string.Join(", ", scenario.SeedsThatMissed)}.");
        }

        return new Figures
        {
            ["missed"] = scenario.Missed,
            ["idle_calls"] = scenario.IdleCalls,
            ["not_in_history"] = scenario.NotInHistory,
            ["ended"] = scenario.Ended,
            ["deaths"] = scenario.Deaths,
        };
    }
}
