using System.Globalization;
using System.Text.Json;

namespace Coppice.Sqlite;

/// <summary>A task as a row of the columns that make a snapshot.</summary>
internal static class TaskRow
{
    /// <summary>The columns, of a table or alias <c>t</c>.</summary>
    public static readonly string Columns = string.Create(CultureInfo.InvariantCulture, $"""
        t.n, CASE WHEN t.n >= {Schema.FirstForeign} THEN (SELECT id FROM foreign_ids WHERE n = t.n) END,
        (SELECT id FROM threads WHERE n = t.owner), t.state, t.created_ms, t.completed_ms, t.cancel_ms,
        t.parent, CASE WHEN t.parent >= {Schema.FirstForeign} THEN (SELECT id FROM foreign_ids WHERE n = t.parent) END,
        t.type, t.name, t.run_id, t.call_id, t.agent_id, t.cancelled_by, t.description, t.error, t.result,
        t.notify, (SELECT id FROM threads WHERE n = t.agent_thread),
        t.continues, CASE WHEN t.continues >= {Schema.FirstForeign} THEN (SELECT id FROM foreign_ids WHERE n = t.continues) END,
        k.name, w.version, w.recovery, w.priority, w.attempt, w.failures, w.crashes, w.due_ms, w.deadline_ms, w.key, w.last_error, i.json
        """);

    /// <summary>What the columns need beside <c>tasks t</c>. Of a task without work nothing is looked up.</summary>
    public const string Joins =
        "LEFT JOIN kinds k ON k.n = t.kind "
        + "LEFT JOIN work w ON w.n = CASE WHEN t.kind IS NOT NULL THEN t.n END "
        + "LEFT JOIN inputs i ON i.n = CASE WHEN t.kind IS NOT NULL THEN t.n END";

    private static readonly JsonDocumentOptions Deep = new() { MaxDepth = 256 };

    public static TaskSnapshot Read(Statement.RowScope row) => new()
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
        Result = ReadResult(row),
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

    private static TaskLineage ReadLineage(Statement.RowScope row) =>
        row.IsNull(7) && row.IsNull(11) && row.IsNull(12) && row.IsNull(13)
            ? TaskLineage.None
            : new TaskLineage
            {
                TaskId = ReadId(row, 7),
                RunId = row.TextOrNull(11),
                CallId = row.TextOrNull(12),
                AgentId = row.TextOrNull(13),
            };

    private static TaskWork ReadWork(Statement.RowScope row) => new()
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

    /// <summary>An id as its number and, where it is not of the form that stores give, its text beside it.</summary>
    private static string? ReadId(Statement.RowScope row, int column) =>
        row.TextOrNull(column + 1) ?? (row.NumberOrNull(column) is { } number ? TaskIds.Format(number) : null);

    private static JsonElement? ReadResult(Statement.RowScope row) => row.TextOrNull(17) is { } json ? ReadJson(json) : null;
}
