using Npgsql;

namespace Coppice.Cluster.Tests;

/// <summary>What is in the store when all has ended.</summary>
/// <param name="Tasks">All tasks, by id.</param>
/// <param name="Mail">What was left unread or not acknowledged, by thread, in order.</param>
/// <param name="Seen">What was seen of ended tasks while the cluster worked.</param>
/// <param name="Leftovers">What the store counts, and does not add up: see <see cref="Sums"/>.</param>
internal sealed record ClusterEnd(
    IReadOnlyDictionary<string, TaskSnapshot> Tasks,
    IReadOnlyDictionary<string, IReadOnlyList<InboxItem>> Mail,
    IReadOnlyList<TaskSnapshot> Seen,
    IReadOnlyList<string> Leftovers)
{
    /// <summary>What has to be zero once every task has ended, and how it is counted.</summary>
    private static readonly (string Name, string Sql)[] Sums =
    [
        ("branches that live", "SELECT count(*) FROM {s}.branches WHERE NOT ended"),
        ("tasks that live", "SELECT count(*) FROM {s}.tasks WHERE state < 3"),
        ("lanes that have something ready or running", "SELECT count(*) FROM {s}.lanes WHERE ready <> 0 OR running <> 0"),
        ("work that is ready or due", "SELECT count(*) FROM {s}.work WHERE rank IS NOT NULL OR due_ms IS NOT NULL"),
        ("messages on their way", "SELECT count(*) FROM {s}.outbox"),
        ("tasks that their thread's directory does not have", "SELECT count(*) FROM {s}.tasks t WHERE NOT EXISTS (SELECT FROM {s}.task_ids i WHERE i.n = t.n AND i.owner_thread_id = t.owner_thread_id)"),
        ("mailboxes whose counts are not those of their mail", """
            SELECT count(*) FROM {s}.threads h JOIN (SELECT t.owner_thread_id, count(seq) c, coalesce(max(seq), 0) m FROM {s}.threads t LEFT JOIN {s}.mail USING (owner_thread_id) GROUP BY 1) x
                USING (owner_thread_id) WHERE h.customs + h.terminals + h.messages <> x.c OR h.last_seq < x.m
            """),
    ];

    internal static async Task<List<TaskSnapshot>> ListAsync(ITaskStore store)
    {
        const int page = 1_000;
        var tasks = new List<TaskSnapshot>();
        while (true)
        {
            var next = await store.ListAsync(new TaskQuery(), tasks.Count == 0 ? null : TaskCursor.After(tasks[^1]), page, CancellationToken.None);
            tasks.AddRange(next);
            if (next.Count < page)
            {
                return tasks;
            }
        }
    }

    internal static async Task<ClusterEnd> ReadAsync(string connectionString, string schema, IReadOnlyList<TaskSnapshot> seen)
    {
        await using var store = await PostgreSqlTaskStore.OpenAsync(connectionString, new PostgreSqlTaskStoreOptions { Schema = schema });
        await using var manager = await BackgroundTaskManager.StartAsync(store, new BackgroundTaskOptions { HostName = "reader" });
        var mail = new Dictionary<string, IReadOnlyList<InboxItem>>();
        await using var source = NpgsqlDataSource.Create(connectionString);
        var leftovers = new List<string>();
        foreach (var (name, sql) in Sums)
        {
            await using var command = source.CreateCommand(sql.Replace("{s}", schema, StringComparison.Ordinal));
            if ((long)(await command.ExecuteScalarAsync())! is > 0 and var count)
            {
                leftovers.Add($"{name}: {count}");
            }
        }

        await using var threads = source.CreateCommand($"SELECT id FROM {schema}.thread_ids WHERE id ~ '^[tm][0-9]+$'");
        await using var rows = await threads.ExecuteReaderAsync();
        while (await rows.ReadAsync())
        {
            var thread = rows.GetString(0);
            await using var inbox = await manager.OpenInboxAsync(thread);
            mail.Add(thread, await inbox.DrainAsync());
        }

        return new ClusterEnd((await ListAsync(store)).ToDictionary(static task => task.TaskId), mail, seen, leftovers);
    }
}
