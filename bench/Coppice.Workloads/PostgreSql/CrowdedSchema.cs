using System.Diagnostics;
using System.Globalization;

namespace Coppice.Workloads;

/// <summary>
/// A schema with many tasks in it. A thousand are made by a host: of ten, eight are plain and one is of a registered kind, all of them ended, and
/// one of that kind is due in years; of ten threads one has not read its mail. All others are copies of their rows.
/// </summary>
internal static class CrowdedSchema
{
    /// <summary>How many tasks a host makes.</summary>
    internal const int Originals = 1000;

    private const int Threads = 10;

    internal static string NameOf(int tasks) => PostgresSchema.Prefix + tasks.ToString(CultureInfo.InvariantCulture);

    /// <summary>Makes it unless it is there, made by the same build of the store.</summary>
    internal static async Task<Figures> MakeAsync(Parameters parameters)
    {
        var tasks = parameters.Int("tasks", 1_000_000);
        var stamp = typeof(PostgreSqlTaskStore).Assembly.ManifestModule.ModuleVersionId.ToString();
        await using (var schema = await PostgresSchema.CreateAsync(Parameters.Parse([$"beside={tasks}"])))
        {
            if ((await schema.TextsAsync("SELECT obj_description(to_regnamespace('{schema}'), 'pg_namespace')"))[0][0] == stamp)
            {
                return new Figures { ["made"] = 0 };
            }
        }

        var start = Stopwatch.GetTimestamp();
        await using var made = await PostgresSchema.CreateKeptAsync(NameOf(tasks));
        await FillAsync(made, tasks);
        await made.ExecuteAsync($"COMMENT ON SCHEMA {{schema}} IS '{stamp}'");
        return new Figures { ["made"] = tasks, ["seconds"] = Stopwatch.GetElapsedTime(start).TotalSeconds };
    }

    /// <summary>Fills an empty one.</summary>
    internal static async Task FillAsync(PostgresSchema schema, int tasks)
    {
        await using (var store = await schema.OpenAsync())
        await using (var manager = await BackgroundTaskManager.StartAsync(store, DurableKinds.EchoOptions()))
        {
            await Callers.RunAsync(Threads, thread => FillThreadAsync(manager, thread, Math.Min(tasks, Originals) / Threads));
        }

        if (tasks > Originals)
        {
            await CopyAsync(schema, tasks / Originals);
        }

        await schema.ExecuteAsync("VACUUM (ANALYZE) " + string.Join(", ", (await TablesAsync(schema)).Select(static table => "{schema}." + table)));
        await schema.ExecuteAsync("CHECKPOINT");
    }

    private static async Task FillThreadAsync(BackgroundTaskManager manager, int thread, int tasks)
    {
        var id = string.Create(CultureInfo.InvariantCulture, $"crowd-{thread}");
        for (var task = 0; task < tasks; task++)
        {
            switch (task % 10)
            {
                case 0:
                    await (await manager.SpawnAsync(DurableKinds.Echo, id, DurableKinds.Value)).ResultAsync();
                    break;
                case 1:
                    var name = string.Create(CultureInfo.InvariantCulture, $"later-{task}");
                    await manager.SpawnAsync(
                        DurableKinds.Echo, id, DurableKinds.Value, new SpawnOptions { Name = name, Delay = TimeSpan.FromDays(365 + task) });
                    break;
                default:
                    await StoredWorkload.SpawnAsync(manager, id, 1);
                    break;
            }
        }

        if (thread > 0)
        {
            await using var inbox = await manager.OpenInboxAsync(id);
            var mail = await inbox.DrainAsync();
            await inbox.AckAsync(mail[^1].Sequence);
        }
    }

    /// <summary>Copies the rows of all tables, with numbers of tasks and threads of their own.</summary>
    private static async Task CopyAsync(PostgresSchema schema, int times)
    {
        var tasks = (await schema.TextsAsync("SELECT max(n) + 1 FROM {schema}.task_ids"))[0][0];
        var threads = (await schema.TextsAsync("SELECT max(owner_thread_id) FROM {schema}.thread_ids"))[0][0];
        foreach (var table in await TablesAsync(schema))
        {
            var columns = await schema.TextsAsync(
                $"""
                SELECT column_name FROM information_schema.columns
                WHERE table_schema = '{schema.Name}' AND table_name = '{table}' ORDER BY ordinal_position
                """);
            var values = columns.Select(column => column[0] switch
            {
                "n" or "parent" or "continues" => $"{column[0]} + copy * {tasks}",
                "owner_thread_id" or "parent_owner" => $"{column[0]} + copy * {threads}",
                "id" => "id || '-' || copy",
                var same => same,
            });
            await schema.ExecuteAsync(
                $$"""
                INSERT INTO {schema}.{{table}} ({{string.Join(", ", columns.Select(static column => column[0]))}}) OVERRIDING SYSTEM VALUE
                SELECT {{string.Join(", ", values)}} FROM {schema}.{{table}} CROSS JOIN generate_series(1, {{times - 1}}) AS copy
                """);
        }

        await schema.ExecuteAsync(
            $$"""
            UPDATE {schema}.meta SET next_task = greatest(next_task, {{tasks}}::bigint * {{times}});
            SELECT setval(pg_get_serial_sequence('{schema}.thread_ids', 'owner_thread_id'), {{threads}}::bigint * {{times}});
            """);
    }

    /// <summary>All that belongs to threads.</summary>
    private static async Task<IEnumerable<string>> TablesAsync(PostgresSchema schema)
    {
        var tables = await schema.TextsAsync(
            """
            SELECT table_name FROM information_schema.columns
            WHERE table_schema = '{schema}' AND column_name = 'owner_thread_id' ORDER BY table_name
            """);
        return tables.Select(static table => table[0]);
    }
}
