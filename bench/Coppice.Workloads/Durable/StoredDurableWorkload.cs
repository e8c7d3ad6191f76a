using System.Diagnostics;

namespace Coppice.Workloads;

/// <summary>
/// Tasks of a registered kind spawned to terminal in a SQLite file with full syncs: each caller awaits the result of one and spawns the next.
/// </summary>
internal static class StoredDurableWorkload
{
    /// <summary>A task is written three times: when it is spawned, claimed and finished.</summary>
    internal const int WritesATask = 3;

    internal static async Task<Figures> RunAsync(Parameters parameters)
    {
        var callers = parameters.Int("callers", 1);
        var tasks = parameters.Int("tasks", 4000) / callers * callers;
        using var folder = new ScratchFolder();
        await using var store = await SqliteTaskStore.OpenAsync(folder.File("tasks.db"));
        await using var manager = await BackgroundTaskManager.StartAsync(store, DurableKinds.EchoOptions(callers));

        var unmeasured = parameters.Int("unmeasured", callers == 1 ? 1500 : 30_000) / callers * callers;
        await Callers.RunAsync(callers, caller => SpawnAsync(manager, caller, unmeasured / callers));
        WarmUp.Collect();

        using var groups = new GroupSizes();
        var start = Stopwatch.GetTimestamp();
        await Callers.RunAsync(callers, caller => SpawnAsync(manager, caller, tasks / callers));
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;

        // A claim is one batch, whatever it brings, so the writes that share a transaction are not the batches that do.
        return new Figures
        {
            ["per_second"] = tasks / seconds,
            ["group"] = WritesATask * tasks / groups.Transactions,
            ["batches_a_task"] = (double)groups.Batches / tasks,
            ["transactions_a_task"] = groups.Transactions / tasks,
        };
    }

    internal static async Task SpawnAsync(BackgroundTaskManager manager, int caller, int count)
    {
        var thread = StoredWorkload.ThreadOf(caller);
        for (var i = 0; i < count; i++)
        {
            var task = await manager.SpawnAsync(DurableKinds.Echo, thread, DurableKinds.Value);
            await task.ResultAsync();
        }
    }
}
