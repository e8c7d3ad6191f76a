using System.Globalization;

namespace Coppice.Workloads;

/// <summary>What is allocated from the spawn of a task to its end, in all and by type.</summary>
internal static class AllocationWorkload
{
    /// <summary>What stands before the type and the size in the name of a figure: how many of those objects a task takes.</summary>
    internal const string ObjectPrefix = "object|";

    internal static async Task<Figures> RunAsync(Parameters parameters)
    {
        var tasks = parameters.Int("tasks", 200_000);
        Func<int, Task> spawn = parameters.Text("of") == "durable" ? DurableWorkload.SpawnAsync : SpawnAsync;
        await WarmUp.RunAsync(parameters.Int("warmup", 1500), () => spawn(Math.Min(tasks, 50_000)));

        // The listener allocates too, so the sum is measured without it.
        var before = GC.GetTotalAllocatedBytes(precise: true);
        await spawn(tasks);
        var figures = new Figures { ["bytes"] = (double)(GC.GetTotalAllocatedBytes(precise: true) - before) / tasks };

        var rounds = parameters.Int("rounds", 10);
        using var samples = new AllocationSamples();
        for (var round = 0; round < rounds; round++)
        {
            await spawn(tasks);
        }

        foreach (var ((type, size), count) in samples.Stop())
        {
            figures[string.Create(CultureInfo.InvariantCulture, $"{ObjectPrefix}{type}|{size}")] = count / rounds / tasks;
        }

        return figures;
    }

    private static async Task SpawnAsync(int tasks)
    {
        await using var store = new InMemoryTaskStore();
        await using var manager = await BackgroundTaskManager.StartAsync(store);
        await SpawnWorkload.SpawnAsync(manager, "thread", tasks);
    }
}
