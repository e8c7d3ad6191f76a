namespace Coppice.PostgreSql;

/// <summary>The SQL by which a process finds what it has to hear of: what is its hosts' own, and what work there is.</summary>
internal static class NewsQueries
{
    /// <summary>The tasks of some numbers. OFFSET keeps the planner from looking for a number among the tasks of all threads.</summary>
    public const string TasksSql =
        $$"""
        SELECT {{TaskRow.Columns}} FROM unnest($1::bigint[]) u (n) JOIN {schema}.task_ids i ON i.n = u.n
        CROSS JOIN LATERAL (SELECT * FROM {schema}.tasks WHERE owner_thread_id = i.owner_thread_id AND n = i.n OFFSET 0) t
        {{TaskRow.Joins}}
        """;

    /// <summary>What tasks emitted, by the place in the mailbox of the owner.</summary>
    public const string EmittedSql =
        """
        SELECT u.n, u.seq, m.json FROM unnest($1::bigint[], $2::bigint[]) u (n, seq) JOIN {schema}.task_ids i ON i.n = u.n
        CROSS JOIN LATERAL (SELECT json FROM {schema}.mail WHERE owner_thread_id = i.owner_thread_id AND seq = u.seq AND class = 0 OFFSET 0) m
        """;

    public const string ClosedSql =
        "SELECT u.epoch FROM unnest($1::bigint[]) u (epoch) WHERE NOT EXISTS (SELECT FROM {schema}.hosts h WHERE h.epoch = u.epoch AND h.is_open)";

    public const string CancelledSql =
        $$"""
        SELECT b.n, CASE WHEN b.n >= {{TaskRow.FirstForeignSql}} THEN (SELECT id FROM {schema}.foreign_ids f WHERE f.n = b.n) END, b.host_epoch
        FROM {schema}.branches b CROSS JOIN LATERAL (
            SELECT cancel_ms FROM {schema}.tasks WHERE owner_thread_id = b.owner_thread_id AND n = b.n OFFSET 0) t
        WHERE b.host_epoch = ANY ($1) AND NOT b.ended AND t.cancel_ms IS NOT NULL
        """;

    public const string UnreadSql =
        """
        SELECT (SELECT id FROM {schema}.thread_ids i WHERE i.owner_thread_id = h.owner_thread_id), h.unread_terminals + h.unread_messages > 0
        FROM {schema}.threads h
        WHERE h.reader_epoch = ANY ($1) AND h.unread_customs + h.unread_terminals + h.unread_messages > 0
        """;

    public const string TakenOverSql =
        """
        SELECT (SELECT id FROM {schema}.thread_ids i WHERE i.owner_thread_id = h.owner_thread_id), u.reader, h.reader
        FROM unnest($1::bigint[], $2::uuid[]) u (thread, reader) JOIN {schema}.threads h ON h.owner_thread_id = u.thread
        WHERE h.reader IS DISTINCT FROM u.reader AND NOT EXISTS (SELECT FROM {schema}.hosts o WHERE o.epoch = h.reader_epoch AND o.process = $3)
        """;

    /// <summary>The kinds of which work is ready, and what is due next and what expires next. LIMIT keeps the planner from going through all lanes.</summary>
    public const string WorkSql =
        """
        SELECT k.name, NULL::bigint FROM {schema}.kinds k
        CROSS JOIN LATERAL (SELECT FROM {schema}.lanes l WHERE l.kind = k.n AND l.ready > 0 LIMIT 1) l
        UNION ALL (SELECT (SELECT name FROM {schema}.kinds k WHERE k.n = w.kind), w.due_ms FROM {schema}.work w
            WHERE w.due_ms IS NOT NULL ORDER BY w.due_ms, w.n LIMIT 1)
        UNION ALL (SELECT (SELECT name FROM {schema}.kinds k WHERE k.n = w.kind), w.expires_ms FROM {schema}.work w
            WHERE w.expires_ms IS NOT NULL ORDER BY w.expires_ms, w.n LIMIT 1)
        """;

    public const string UnreadHandlersSql = "SELECT epoch FROM {schema}.hosts WHERE is_open AND handles_unread";

    /// <summary>The last open host of each process, by its epoch.</summary>
    public const string RingSql =
        """
        SELECT h.epoch, h.host_id, h.process FROM {schema}.hosts h
        WHERE h.is_open AND NOT EXISTS (SELECT FROM {schema}.hosts l WHERE l.process = h.process AND l.is_open AND l.epoch > h.epoch)
        ORDER BY h.epoch
        """;
}
