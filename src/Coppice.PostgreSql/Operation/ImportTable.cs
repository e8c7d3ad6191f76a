using NpgsqlTypes;

namespace Coppice.PostgreSql;

/// <summary>A table that a store is copied into.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Columns">Its columns that are copied, by their types: b for bigint, i for integer, s for smallint, f for a flag, t for text.</param>
internal sealed record ImportTable(string Name, params (char Type, string Names)[] Columns)
{
    /// <summary>Gets all of them. The directories come first, so that what follows can be looked up.</summary>
    public static IReadOnlyList<ImportTable> All { get; } =
    [
        new("thread_ids", ('b', "owner_thread_id"), ('t', "id")),
        new("threads", ('b', "owner_thread_id, last_seq, acked"), ('i', "customs, terminals, messages, entries"), ('f', "wakes")),
        new("foreign_ids", ('b', "n"), ('t', "id")),
        new("task_ids", ('b', "n, owner_thread_id")),
        new("tasks",
            ('b', "owner_thread_id, n, created_ms, completed_ms, cancel_ms, parent, parent_owner, agent_thread, continues"), ('i', "kind, events_through"),
            ('s', "state, notify"), ('f', "agent_open"), ('t', "type, name, run_id, call_id, agent_id, cancelled_by, description, error, result")),
        new("branches", ('b', "owner_thread_id, n, parent, parent_owner, agent_thread"), ('i', "kind"), ('f', "ended"), ('t', "name, run_id")),
        new("kinds", ('i', "n"), ('t', "name")),
        new("kind_crashes", ('i', "kind"), ('b', "at_ms, epoch")),
        new("work",
            ('b', "owner_thread_id, n"), ('i', "kind, version, max_crashes, priority, attempt, failures, crashes"),
            ('b', "claim, rank, due_ms, expires_ms, deadline_ms"), ('s', "recovery"), ('f', "has_steps, has_checkpoint, restored"), ('t', "key, last_error, input")),
        new("lanes", ('b', "owner_thread_id"), ('i', "kind, ready, running, priority, version"), ('b', "turn")),
        new("checkpoints", ('b', "owner_thread_id, n"), ('t', "json")),
        new("steps", ('b', "owner_thread_id, n"), ('i', "place"), ('f', "is_fork"), ('t', "name, key, after, error, result")),
        new("mail", ('b', "owner_thread_id, seq, task"), ('s', "class"), ('t', "json")),
        new("conversations", ('b', "owner_thread_id"), ('i', "entry"), ('t', "json")),
        new("message_ids", ('b', "owner_thread_id, place, keep_ms, expires_ms, forget_ms"), ('s', "box"), ('t', "id")),
        new("outbox", ('b', "owner_thread_id, n, recipient"), ('i', "attempts"), ('b', "due_ms"), ('t', "json")),
        new("failed_messages", ('b', "owner_thread_id, n, recipient, seq, failed_ms"), ('i', "attempts"), ('s', "box"), ('t', "json, reason")),
    ];

    /// <summary>Gets the columns, in order.</summary>
    public string ColumnList { get; } = string.Join(", ", Columns.Select(static column => column.Names));

    /// <summary>Gets the type of each column.</summary>
    public IReadOnlyList<NpgsqlDbType> Types { get; } =
        [.. Columns.SelectMany(static column => column.Names.Split(", ").Select(_ => TypeOf(column.Type)))];

    private static NpgsqlDbType TypeOf(char type) => type switch
    {
        'b' => NpgsqlDbType.Bigint,
        'i' => NpgsqlDbType.Integer,
        's' => NpgsqlDbType.Smallint,
        'f' => NpgsqlDbType.Boolean,
        _ => NpgsqlDbType.Text,
    };
}
