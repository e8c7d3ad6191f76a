namespace Coppice.Workloads;

/// <summary>
/// The rows that a spawn, a claim and a finish of a task of a registered kind write, by bare prepared statements on one thread: the same tables
/// and indexes, the same pragmas, the same rows, in transactions of as many as the store reached. Nothing is looked up, judged, answered or run.
/// </summary>
internal static class StoredDurableFloor
{
    internal static async Task<Figures> RunAsync(Parameters parameters)
    {
        await FloorAgreement.CheckDurableAsync();
        var run = new StoredRun(parameters);
        var group = Math.Max(parameters.Number("group", 1), 1);
        var perSecond = await StoredFloor.MeasureAsync(run, (rows, tasks) => Write(rows, run.Callers, tasks, group));
        return new Figures { ["per_second"] = perSecond, ["group"] = group };
    }

    /// <summary>Callers take turns, as many in a transaction as a group holds on average. Each spawns, then claims that task, then ends it.</summary>
    internal static void Write(FloorRows rows, int callers, int tasks, double group)
    {
        var threads = Enumerable.Range(0, callers).Select(caller => rows.ThreadNumber(StoredWorkload.ThreadOf(caller))).ToArray();
        var open = new (long Task, bool IsClaimed)?[callers];
        var (written, due, ended, caller) = (0L, 0.0, 0, 0);
        while (ended < tasks)
        {
            rows.Begin();
            for (due += group; written < Math.Round(due) && ended < tasks; written++, caller = (caller + 1) % callers)
            {
                var thread = threads[caller];
                if (open[caller] is not { } task)
                {
                    open[caller] = (rows.SpawnWork(thread), false);
                }
                else if (!task.IsClaimed)
                {
                    rows.ClaimWork(task.Task, thread);
                    open[caller] = (task.Task, true);
                }
                else
                {
                    rows.FinishWork(task.Task, thread);
                    open[caller] = null;
                    ended++;
                }
            }

            rows.Commit();
        }
    }
}
