namespace Coppice.Workloads;

/// <summary>
/// The rows that a spawn and a finish write, by bare Npgsql: the same tables and indexes, the same rows, in transactions of as many as the store
/// reached, each of them one round trip. Nothing is looked up, locked, judged, answered or run. Of one writer and of two that share the
/// callers the faster counts.
/// </summary>
internal static class PostgresFloor
{
    internal static async Task<Figures> RunAsync(Parameters parameters)
    {
        await PostgresFloorAgreement.CheckAsync();
        var run = new StoredRun(parameters);
        var group = Math.Clamp((int)Math.Round(parameters.Number("group", 1)), 1, run.Callers);
        var one = await MeasureAsync(run, group, writers: 1);
        if (run.Callers == 1)
        {
            return new Figures { ["per_second"] = one, ["group"] = group };
        }

        var two = await MeasureAsync(run, group, writers: 2);
        return new Figures { ["per_second"] = Math.Max(one, two), ["one_writer"] = one, ["two_writers"] = two, ["group"] = group };
    }

    /// <summary>Has the store make its tables, and writes into them.</summary>
    internal static async Task WriteAsync(PostgresSchema schema, int callers, int tasks, int group)
    {
        await CreateTablesAsync(schema);
        using var rows = new PostgresFloorRows(schema, group, writer: 0, writers: 1);
        FloorTurns.Write(rows, Enumerable.Range(0, callers), tasks, group);
    }

    private static async Task<double> MeasureAsync(StoredRun run, int group, int writers)
    {
        await using var schema = await PostgresSchema.CreateAsync(Parameters.Parse([]));
        await CreateTablesAsync(schema);
        var rows = Enumerable.Range(0, writers).Select(writer => new PostgresFloorRows(schema, group, writer, writers)).ToList();
        try
        {
            return await run.MeasureFloorAsync(async tasks =>
            {
                await Callers.RunAsync(writers, writer =>
                {
                    // A thread's callers have one writer, for two would wait for each other.
                    var callers = Enumerable.Range(0, run.Callers).Where(caller => caller % StoredWorkload.Threads % writers == writer).ToList();
                    FloorTurns.Write(rows[writer], callers, tasks / writers, Math.Min(group, callers.Count));
                    return Task.CompletedTask;
                });

                // A table without statistics is slower by far; this is after what is not measured, and once more for nothing.
                await schema.ExecuteAsync("ANALYZE {schema}.tasks, {schema}.branches, {schema}.threads, {schema}.mail, {schema}.task_ids");
            });
        }
        finally
        {
            rows.ForEach(static each => each.Dispose());
        }
    }

    private static async Task CreateTablesAsync(PostgresSchema schema)
    {
        await using var store = await schema.OpenAsync();
    }
}
