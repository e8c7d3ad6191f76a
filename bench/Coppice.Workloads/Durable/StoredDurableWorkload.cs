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
        var run = new StoredRun(parameters);
        using var folder = new ScratchFolder();
        await using var store = await SqliteTaskStore.OpenAsync(folder.File("tasks.db"));
        var (perSecond, groups) = await run.MeasureAsync(store, DurableKinds.EchoOptions(run.Callers), SpawnAsync);

        // A claim is one batch, whatever it brings, so the writes that share a transaction are not the batches that do.
        return new Figures
        {
            ["per_second"] = perSecond,
            ["group"] = WritesATask * run.Tasks / groups.Transactions,
            ["batches_a_task"] = (double)groups.Batches / run.Tasks,
            ["transactions_a_task"] = groups.Transactions / run.Tasks,
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
