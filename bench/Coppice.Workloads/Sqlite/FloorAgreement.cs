namespace Coppice.Workloads;

/// <summary>
/// That the floor writes what the store writes: after the same tasks both files hold as many rows in each table, with as many values and
/// as much text in each column. A change of the store's tables that the floor does not follow ends the run here.
/// </summary>
internal static class FloorAgreement
{
    private const int Callers = 4;
    private const int Tasks = 40;

    internal static Task CheckAsync() => CheckAsync(
        new BackgroundTaskOptions(),
        static (manager, caller) => StoredWorkload.SpawnAsync(manager, caller, Tasks / Callers),
        static rows => StoredFloor.Write(rows, Callers, Tasks, group: 3));

    /// <summary>The same for tasks of a registered kind.</summary>
    internal static Task CheckDurableAsync() => CheckAsync(
        DurableKinds.EchoOptions(),
        static (manager, caller) => StoredDurableWorkload.SpawnAsync(manager, caller, Tasks / Callers),
        static rows => StoredDurableFloor.Write(rows, Callers, Tasks, group: 2.5));

    private static async Task CheckAsync(BackgroundTaskOptions options, Func<BackgroundTaskManager, int, Task> spawn, Action<FloorRows> write)
    {
        using var folder = new ScratchFolder();
        var ours = folder.File("ours.db");
        var floor = folder.File("floor.db");
        await using (var store = await SqliteTaskStore.OpenAsync(ours, new() { Synchronous = SqliteSynchronous.Normal }))
        await using (var manager = await BackgroundTaskManager.StartAsync(store, options))
        {
            for (var caller = 0; caller < Callers; caller++)
            {
                await spawn(manager, caller);
            }
        }

        using (var rows = await FloorRows.CreateAsync(floor))
        {
            write(rows);
        }

        var (expected, actual) = (Describe(ours), Describe(floor));
        if (!expected.SequenceEqual(actual))
        {
            throw new InvalidOperationException(
                "The floor does not write what the store writes; bring FloorRows in step. The store and not the floor: "
                + $"{string.Join("; ", expected.Except(actual))}. The floor and not the store: {string.Join("; ", actual.Except(expected))}.");
        }
    }

    private static List<string> Describe(string path)
    {
        using var database = new RawDatabase(path);
        var lines = database.Texts("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name");
        foreach (var table in database.Texts("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"))
        {
            lines.Add($"{table}: {database.Number($"SELECT count(*) FROM \"{table}\"")} rows");
            foreach (var column in database.Texts($"SELECT name FROM pragma_table_info('{table}') ORDER BY cid"))
            {
                // Numbers count joins and leaves of hosts and times differ, so of these only how many there are is compared.
                var values = database.Number($"SELECT count(\"{column}\") FROM \"{table}\"");
                var text = database.Number($"SELECT coalesce(sum(CASE WHEN typeof(\"{column}\") = 'text' THEN length(\"{column}\") END), 0) FROM \"{table}\"");
                lines.Add($"{table}.{column}: {values} values, {text} characters");
            }
        }

        return lines;
    }
}
