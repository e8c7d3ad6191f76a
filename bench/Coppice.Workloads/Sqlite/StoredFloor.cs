namespace Coppice.Workloads;

/// <summary>
/// The rows that a spawn and a finish write, by bare prepared statements on one thread: the same tables and indexes, the same pragmas, the
/// same rows, in transactions of as many as the store reached. Nothing is looked up, judged, answered or run.
/// </summary>
internal static class StoredFloor
{
    internal static async Task<Figures> RunAsync(Parameters parameters)
    {
        await FloorAgreement.CheckAsync();
        var run = new StoredRun(parameters);
        var group = Math.Clamp((int)Math.Round(parameters.Number("group", 1)), 1, run.Callers);
        var perSecond = await run.MeasureFloorAsync((rows, tasks) => Write(rows, run.Callers, tasks, group));
        return new Figures { ["per_second"] = perSecond, ["group"] = group };
    }

    /// <summary>Callers take turns, as many in a transaction as a group holds. Each writes a spawn, then the end of it, then the next spawn.</summary>
    internal static void Write(FloorRows rows, int callers, int tasks, int group)
    {
        var open = new long?[callers];
        var threads = Enumerable.Range(0, callers).Select(caller => rows.ThreadNumber(StoredWorkload.ThreadOf(caller))).ToArray();
        var spawned = 0;
        var ended = 0;
        for (var caller = 0; ended < tasks;)
        {
            rows.Begin();
            for (var written = 0; written < group && ended < tasks; caller = (caller + 1) % callers)
            {
                if (open[caller] is { } task)
                {
                    rows.Finish(task, threads[caller]);
                    open[caller] = null;
                    ended++;
                }
                else if (spawned < tasks)
                {
                    open[caller] = rows.Spawn(threads[caller]);
                    spawned++;
                }
                else
                {
                    continue;
                }

                written++;
            }

            rows.Commit();
        }
    }
}
