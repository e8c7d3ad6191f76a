using System.Text.Json;
using Npgsql;

namespace Coppice.PostgreSql;

/// <summary>A task as a row of the columns that make a snapshot.</summary>
internal static class TaskRow
{
    /// <summary>The number of the first id that is not of the form that stores give.</summary>
    public const long FirstForeign = 1L << 60;

    /// <summary><see cref="FirstForeign"/> in SQL.</summary>
    public const string FirstForeignSql = "1152921504606846976";

    /// <summary>The columns, of a table or alias <c>t</c>. Ids are looked up one by one, which is never dearer than the rows that are asked for.</summary>
    public const string Columns =
        $$"""
        t.n, CASE WHEN t.n >= {{FirstForeignSql}} THEN (SELECT id FROM {schema}.foreign_ids WHERE n = t.n) END,
        (SELECT id FROM {schema}.thread_ids WHERE owner_thread_id = t.owner_thread_id), t.state, t.created_ms, t.completed_ms, t.cancel_ms,
        t.parent, CASE WHEN t.parent >= {{FirstForeignSql}} THEN (SELECT id FROM {schema}.foreign_ids WHERE n = t.parent) END,
        t.type, t.name, t.run_id, t.call_id, t.agent_id, t.cancelled_by, t.description, t.error, t.result,
        t.notify, (SELECT id FROM {schema}.thread_ids WHERE owner_thread_id = t.agent_thread),
        t.continues, CASE WHEN t.continues >= {{FirstForeignSql}} THEN (SELECT id FROM {schema}.foreign_ids WHERE n = t.continues) END,
        (SELECT name FROM {schema}.kinds WHERE n = w.kind), w.version, w.recovery, w.priority, w.attempt, w.failures, w.crashes,
        w.due_ms, w.deadline_ms, w.key, w.last_error, w.input
        """;

    /// <summary>How many columns these are.</summary>
    public const int Width = 34;

    /// <summary>
    /// What the columns need beside <c>tasks t</c>. Of a task without work nothing is looked up; OFFSET keeps the planner from reading all work there is.
    /// </summary>
    public const string Joins =
        """
        LEFT JOIN LATERAL (
            SELECT * FROM {schema}.work WHERE t.kind IS NOT NULL AND owner_thread_id = t.owner_thread_id AND n = t.n OFFSET 0) w ON true
        """;

    private static readonly JsonDocumentOptions Deep = new() { MaxDepth = 256 };

    /// <summary>Reads the row that a reader is at.</summary>
    public static TaskSnapshot Read(NpgsqlDataReader reader) => Read(new RowScope(reader));

    /// <summary>Reads the row that a scope is at.</summary>
    public static TaskSnapshot Read(RowScope row) => new()
    {
        TaskId = row.TextOrNull(1) ?? TaskIds.Format(row.Number(0)),
        OwnerThreadId = row.Text(2),
        State = (TaskState)row.Number(3),
        CreatedAt = row.Time(4),
        CompletedAt = row.TimeOrNull(5),
        CancelRequestedAt = row.TimeOrNull(6),
        Lineage = ReadLineage(row),
        Type = row.Text(9),
        Name = row.TextOrNull(10),
        CancelledBy = row.TextOrNull(14),
        Description = row.Text(15),
        Error = row.TextOrNull(16),
        Result = ReadJsonOrNull(row, 17),
        Notify = (NotifyPolicy)row.Number(18),
        AgentThreadId = row.TextOrNull(19),
        Continues = ReadId(row, 20),
        Work = row.IsNull(22) ? null : ReadWork(row),
    };

    /// <summary>Reads stored JSON back.</summary>
    public static JsonElement ReadJson(string json)
    {
        using var document = JsonDocument.Parse(json, Deep);
        return document.RootElement.Clone();
    }

    /// <summary>Reads a column of stored JSON back.</summary>
    public static JsonElement? ReadJsonOrNull(RowScope row, int column) => row.TextOrNull(column) is { } json ? ReadJson(json) : null;

    /// <summary>Reads an id that is kept as its number and, where it is not of the form that stores give, its text in the next column.</summary>
    public static string? ReadId(RowScope row, int column) =>
        row.TextOrNull(column + 1) ?? (row.NumberOrNull(column) is { } number ? TaskIds.Format(number) : null);

    private static TaskLineage ReadLineage(RowScope row) =>
        row.IsNull(7) && row.IsNull(11) && row.IsNull(12) && row.IsNull(13)
            ? TaskLineage.None
            : new TaskLineage
            {
                TaskId = ReadId(row, 7),
                RunId = row.TextOrNull(11),
                CallId = row.TextOrNull(12),
                AgentId = row.TextOrNull(13),
            };

    private static TaskWork ReadWork(RowScope row) => new()
    {
        Kind = row.Text(22),
        Version = (int)row.Number(23),
        Recovery = (RecoveryPolicy)row.Number(24),
        Priority = (int)row.Number(25),
        Attempt = (int)row.Number(26),
        Failures = (int)row.Number(27),
        Crashes = (int)row.Number(28),
        DueAt = row.TimeOrNull(29),
        Deadline = row.TimeOrNull(30),
        IdempotencyKey = row.TextOrNull(31),
        LastError = row.TextOrNull(32),
        Input = ReadJson(row.Text(33)),
    };
}
