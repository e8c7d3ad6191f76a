using System.Diagnostics;

namespace Coppice.Workloads;

/// <summary>The cancel of a tree of parked tasks: the call, and until all are terminal.</summary>
internal static class CancelTreeWorkload
{
    private const string Thread = "thread";

    internal static async Task<Figures> RunAsync(Parameters parameters)
    {
        var branches = Math.Max(1, (int)Math.Sqrt(parameters.Int("tasks", 10_000)));
        var body = parameters.Text("body") == "throwing" ? Bodies.ParkedThrowing : Bodies.Parked;
        await using var store = new InMemoryTaskStore();
        await using var manager = await BackgroundTaskManager.StartAsync(store);
        await WarmUp.RunAsync(parameters.Int("warmup", 1500), () => MeasureAsync(manager, Math.Min(branches, 30), body));
        return await MeasureAsync(manager, branches, body);
    }

    private static async Task<Figures> MeasureAsync(BackgroundTaskManager manager, int branches, Func<TaskContext, Task<TaskOutcome>> body)
    {
        var root = await GrowAsync(manager, branches, body);
        WarmUp.Collect();

        var start = Stopwatch.GetTimestamp();
        var reached = await manager.CancelTreeAsync(root);
        var call = Stopwatch.GetElapsedTime(start);
        while (await manager.HasRunningAsync(Thread))
        {
            await Task.Yield();
        }

        var all = Stopwatch.GetElapsedTime(start);
        return reached == branches * branches
            ? new Figures { ["call_ms"] = call.TotalMilliseconds, ["all_ms"] = all.TotalMilliseconds }
            : throw new InvalidOperationException($"The cancel reached {reached} tasks of {branches * branches}.");
    }

    /// <summary>Grows a tree of branches squared: a root, one child fewer, and below the root and each child the rest in equal shares.</summary>
    private static async Task<string> GrowAsync(BackgroundTaskManager manager, int branches, Func<TaskContext, Task<TaskOutcome>> body)
    {
        var parked = new Countdown(branches * branches);
        var root = await SpawnAsync(parent: null);
        for (var leaf = 1; leaf < branches; leaf++)
        {
            await SpawnAsync(root);
        }

        for (var branch = 1; branch < branches; branch++)
        {
            var parent = await SpawnAsync(root);
            for (var leaf = 1; leaf < branches; leaf++)
            {
                await SpawnAsync(parent);
            }
        }

        await parked.Reached;
        return root;

        ValueTask<string> SpawnAsync(string? parent) => manager.SpawnAsync(
            Thread,
            context =>
            {
                var task = body(context);
                parked.Signal();
                return task;
            },
            new() { Lineage = new() { TaskId = parent } });
    }
}
