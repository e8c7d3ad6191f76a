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
        var perSecond = await MeasureAsync(run, (rows, tasks) => Write(rows, run.Callers, tasks, group));
        return new Figures { ["per_second"] = perSecond, ["group"] = group };
    }

    /// <summary>Gets tasks a second of bare statements in a new file.</summary>
    internal static async Task<double> MeasureAsync(StoredRun run, Action<FloorRows, int> write)
    {
        using var folder = new ScratchFolder();
        using var rows = await FloorRows.CreateAsync(folder.File("floor.db"));
        return await run.MeasureFloorAsync(tasks =>
        {
            write(rows, tasks);
            return Task.CompletedTask;
        });
    }

    internal static void Write(FloorRows rows, int callers, int tasks, int group) =>
        FloorTurns.Write(rows, Enumerable.Range(0, callers), tasks, group);
}
