namespace Coppice.PostgreSql.Tests.Support;

/// <summary>Many rows at once: one thread with half of the tasks, a thousand with the rest; one task in a hundred is live, one in two has work.</summary>
internal static class ReadVolume
{
    public static async Task FillAsync(ReadFixture store, int tasks, bool analyze)
    {
        foreach (var sql in new[]
        {
            "INSERT INTO {schema}.thread_ids (id) SELECT 't' || i FROM generate_series(1, 1001) AS i ORDER BY i",
            "INSERT INTO {schema}.threads (owner_thread_id) SELECT owner_thread_id FROM {schema}.thread_ids",
            "INSERT INTO {schema}.kinds (name) SELECT 'k' || i FROM generate_series(1, 10) AS i ORDER BY i",
            """
            INSERT INTO {schema}.tasks (owner_thread_id, n, created_ms, completed_ms, parent, kind, state, type, name, run_id, description, result)
            SELECT CASE WHEN i % 2 = 0 THEN 1 ELSE 2 + i % 1000 END, i, 1000000 + i / 3, CASE WHEN i % 100 <> 0 THEN 2000000 + i END, CASE WHEN i >= 50 THEN i / 50 END,
                CASE WHEN i % 4 < 2 THEN 1 + i % 10 END, CASE WHEN i % 100 = 0 THEN 1 ELSE 3 + i % 3 END, 'task', 'n' || i % 5, 'r' || i / 20, 'fetch page ' || i,
                '{"pages":' || i || '}'
            FROM generate_series(0, $1 - 1) AS i
            """,
            "INSERT INTO {schema}.task_ids SELECT n, owner_thread_id FROM {schema}.tasks",
            """
            INSERT INTO {schema}.branches (owner_thread_id, n, parent, kind, ended, name, run_id)
            SELECT owner_thread_id, n, parent, kind, state > 2, 'n' || n, CASE WHEN parent IS NULL THEN run_id END FROM {schema}.tasks WHERE n % 50 = 0
            """,
            """
            INSERT INTO {schema}.work (owner_thread_id, n, kind, version, max_crashes, priority, recovery, input)
            SELECT owner_thread_id, n, kind, 1, 3, 0, 0, '{"url":"https://example.org/' || n || '"}' FROM {schema}.tasks WHERE kind IS NOT NULL
            """,
        })
        {
            await store.SqlAsync(sql, sql.Contains("$1", StringComparison.Ordinal) ? [tasks] : []);
        }

        if (analyze)
        {
            foreach (var table in new[] { "thread_ids", "threads", "kinds", "tasks", "task_ids", "branches", "work" })
            {
                await store.SqlAsync($"ANALYZE {{schema}}.{table}");
            }
        }
    }
}
