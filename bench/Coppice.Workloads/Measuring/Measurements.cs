using System.Text.Json;

namespace Coppice.Workloads;

/// <summary>Everything that can be measured, one to a process.</summary>
internal static class Measurements
{
    internal static IReadOnlyDictionary<string, Func<Parameters, Task<Figures>>> All { get; } =
        new Dictionary<string, Func<Parameters, Task<Figures>>>(StringComparer.Ordinal)
        {
            ["spawn"] = SpawnWorkload.RunAsync,
            ["spawn-floor"] = SpawnFloor.RunAsync,
            ["quartz"] = QuartzJobs.RunAsync,
            ["parked"] = ParkedWorkload.RunAsync,
            ["parked-floor"] = ParkedFloor.RunAsync,
            ["crowd"] = CrowdWorkload.RunAsync,
            ["messages"] = MessagesWorkload.RunAsync,
            ["cancel-tree"] = CancelTreeWorkload.RunAsync,
            ["cancel-floor"] = CancelFloor.RunAsync,
            ["sqlite"] = StoredWorkload.RunAsync,
            ["sqlite-floor"] = StoredFloor.RunAsync,
            ["make-finished"] = FinishedFile.MakeAsync,
            ["start"] = StartWorkload.RunAsync,
            ["start-floor"] = StartFloor.RunAsync,
            ["finished-memory"] = FinishedMemory.RunAsync,
            ["durable"] = DurableWorkload.RunAsync,
            ["durable-floor"] = DurableFloor.RunAsync,
            ["durable-sqlite"] = StoredDurableWorkload.RunAsync,
            ["durable-sqlite-floor"] = StoredDurableFloor.RunAsync,
            ["step"] = StepWorkload.RunAsync,
            ["step-floor"] = StepFloor.RunAsync,
            ["make-pending"] = PendingFile.MakeAsync,
            ["make-delayed"] = PendingFile.MakeDelayedAsync,
            ["first-body"] = FirstBodyWorkload.RunAsync,
            ["delayed"] = DelayedWorkload.RunAsync,
            ["delayed-none"] = DelayedWorkload.RunWithoutAsync,
            ["delayed-in-memory"] = DelayedWorkload.RunInMemoryAsync,
            ["postgres"] = PostgresWorkload.RunAsync,
            ["postgres-floor"] = PostgresFloor.RunAsync,
            ["postgres-quartz"] = QuartzCluster.RunAsync,
            ["postgres-hosts"] = HostsWorkload.RunAsync,
            ["postgres-across"] = AcrossHostsWorkload.RunAsync,
            ["postgres-killed"] = LostHostWorkload.KillAsync,
            ["postgres-silent"] = LostHostWorkload.SilenceAsync,
            ["make-postgres"] = CrowdedSchema.MakeAsync,
            ["told"] = ToldWorkload.RunAsync,
            ["polled"] = ToldWorkload.PollAsync,
            ["told-crashes"] = CrashWorkload.RunAsync,
            ["function-call"] = BackgroundCallWorkload.RunAsync,
            ["allocations"] = AllocationWorkload.RunAsync,
        };

    /// <summary>Runs one and prints its figures as one line of JSON.</summary>
    internal static async Task<int> RunAsync(string name, Parameters parameters)
    {
        if (!All.TryGetValue(name, out var measure))
        {
            Console.Error.WriteLine($"There is no measurement '{name}'. There are: {string.Join(", ", All.Keys)}.");
            return 2;
        }

        var figures = await measure(parameters);
        figures["background_gc"] = GC.GetConfigurationVariables().TryGetValue("ConcurrentGC", out var concurrent) && concurrent is true ? 1 : 0;
        Console.WriteLine(JsonSerializer.Serialize(figures, FiguresJson.Default.Figures));
        return 0;
    }
}
