namespace Coppice.Workloads;

/// <summary>
/// That the floor writes what the store writes: after the same tasks both schemas hold as many rows in each table, with as many values in each column
/// and the same in text, small numbers and flags. A change of the store's tables that the floor does not follow ends the run here.
/// </summary>
internal static class PostgresFloorAgreement
{
    private const int Callers = 4;
    private const int Tasks = 40;

    /// <summary>Compares what single rows and what arrays write.</summary>
    internal static async Task CheckAsync()
    {
        await using var ours = await PostgresSchema.CreateAsync(Parameters.Parse([]));
        await using (var store = await ours.OpenAsync())
        await using (var manager = await BackgroundTaskManager.StartAsync(store))
        {
            for (var caller = 0; caller < Callers; caller++)
            {
                await StoredWorkload.SpawnAsync(manager, caller, Tasks / Callers);
            }
        }

        var expected = await DescribeAsync(ours);
        foreach (var group in (int[])[1, 3])
        {
            await using var floor = await PostgresSchema.CreateAsync(Parameters.Parse([]));
            await PostgresFloor.WriteAsync(floor, Callers, Tasks, group);
            var actual = await DescribeAsync(floor);
            if (!expected.SequenceEqual(actual))
            {
                throw new InvalidOperationException(
                    "The floor does not write what the store writes; bring PostgresFloorRows in step. The store and not the floor: "
                    + $"{string.Join("; ", expected.Except(actual))}. The floor and not the store: {string.Join("; ", actual.Except(expected))}.");
            }
        }
    }

    internal static async Task<List<string>> DescribeAsync(PostgresSchema schema)
    {
        // The floor is no host, and looks no commit up.
        var columns = await schema.TextsAsync(
            """
            SELECT table_name, column_name, data_type IN ('text', 'boolean', 'smallint', 'integer') FROM information_schema.columns
            WHERE table_schema = '{schema}' AND table_name NOT IN ('hosts', 'commits') ORDER BY table_name, ordinal_position
            """);
        var lines = new List<string>();
        foreach (var table in columns.GroupBy(static column => column[0]))
        {
            // Numbers count joins and leaves of hosts and times differ, so of these only how many there are is compared.
            var values = table.Select(static column => column[2] == "True"
                ? $"count({column[1]}) || ' values, ' || coalesce(sum(length({column[1]}::text)), 0) || ' characters'"
                : $"count({column[1]}) || ' values'");
            var described = await schema.TextsAsync($"SELECT count(*) || ' rows', {string.Join(", ", values)} FROM {{schema}}.{table.Key}");
            lines.Add($"{table.Key}: {described[0][0]}");
            lines.AddRange(table.Zip(described[0].Skip(1), (column, text) => $"{table.Key}.{column[1]}: {text}"));
        }

        return lines;
    }
}
