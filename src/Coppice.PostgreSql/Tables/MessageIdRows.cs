namespace Coppice.PostgreSql;

/// <summary>The writer's statements on the ids of messages between threads.</summary>
internal sealed class MessageIdRows(WriterConnection connection) : IMessageIdRows
{
    private const string Columns = "owner_thread_id, id, box, place";

    // The first whose time has come, whosever they are. Read a second time with only those of some threads let through: what the limit lets
    // in does not depend on them, so that a long row of what others have locked is not read to its end.
    private const string FirstExpired =
        $"SELECT {Columns}, expires_ms FROM {{schema}}.message_ids WHERE expires_ms <= $1 ORDER BY expires_ms, place LIMIT $2";

    private const string FirstToForget =
        "SELECT owner_thread_id, box, place FROM {schema}.message_ids WHERE forget_ms <= $1 ORDER BY forget_ms LIMIT $2";

    // A time that cannot be counted any more counts as the last one.
    private const string EndSet = "expires_ms = NULL, forget_ms = least(keep_ms, 9223372036854775807 - $3) + $3";

    private const string OfId = "owner_thread_id = $1 AND {schema}.index_key(id) = {schema}.index_key($2)";

    internal const string FindSql = $"SELECT place, box FROM {{schema}}.message_ids WHERE {OfId} AND (forget_ms IS NULL OR forget_ms > $3) ORDER BY box";

    // Plus nothing keeps the planner from the index of places, while nothing is stored and all cost the same.
    internal const string EndSql = $"UPDATE {{schema}}.message_ids SET {EndSet} WHERE {OfId} AND box + 0 = $4";

    private readonly Statement _find = connection.Prepare(FindSql);

    private readonly Statement _add = connection.Prepare(
        "INSERT INTO {schema}.message_ids (owner_thread_id, id, box, place, keep_ms, expires_ms) VALUES ($1, $2, $3, $4, $5, $6) "
        + "ON CONFLICT (owner_thread_id, ({schema}.index_key(id)), box) DO UPDATE "
        + "SET place = excluded.place, keep_ms = excluded.keep_ms, expires_ms = excluded.expires_ms, forget_ms = NULL");

    private readonly Statement _end = connection.Prepare(EndSql);

    private readonly Statement _endThrough = connection.Prepare(
        $"UPDATE {{schema}}.message_ids SET {EndSet} WHERE owner_thread_id = $1 AND place <= $2 AND box = 0 AND forget_ms IS NULL");

    private readonly Statement _expiredIn = connection.Prepare(
        $"SELECT {Columns} FROM {{schema}}.message_ids "
        + "WHERE owner_thread_id = $1 AND place > $2 AND place <= $3 AND box = 0 AND forget_ms IS NULL AND expires_ms <= $4 ORDER BY place");

    private readonly Statement _expiredOwners = connection.Prepare($"SELECT DISTINCT owner_thread_id FROM ({FirstExpired}) AS due");
    private readonly Statement _expired = connection.Prepare(
        $"SELECT {Columns} FROM ({FirstExpired}) AS due WHERE owner_thread_id = ANY ($3) ORDER BY expires_ms, place");

    private readonly Statement _forgottenOwners = connection.Prepare($"SELECT DISTINCT owner_thread_id FROM ({FirstToForget}) AS due");
    private readonly Statement _forget = connection.Prepare(
        "DELETE FROM {schema}.message_ids WHERE (owner_thread_id, box, place) IN "
        + $"(SELECT owner_thread_id, box, place FROM ({FirstToForget}) AS due WHERE owner_thread_id = ANY ($3))");

    public (long Place, MessageBox Box)? Find(long thread, string id, DateTimeOffset now, bool onlyMailbox)
    {
        connection.Lock(thread);
        using var rows = _find.Bind(thread).Bind(id).Bind(now).Rows();
        return rows.Next() && (MessageBox)rows.Number(1) is var box && (box == MessageBox.Mailbox || !onlyMailbox) ? (rows.Number(0), box) : null;
    }

    public void Add(long thread, ThreadMessage message, MessageBox box, long place, TimeSpan keep)
    {
        connection.Lock(thread);
        _add.Bind(thread).Bind(message.MessageId).Bind((long)box).Bind(place).Bind((long)keep.TotalMilliseconds).Bind(message.ExpiresAt).Note();
    }

    public void End(long thread, string id, MessageBox box, DateTimeOffset now)
    {
        connection.Lock(thread);
        _end.Bind(thread).Bind(id).Bind(now).Bind((long)box).Note();
    }

    public void EndThrough(long thread, long through, DateTimeOffset now)
    {
        connection.Lock(thread);
        _endThrough.Bind(thread).Bind(through).Bind(now).Note();
    }

    public IReadOnlyList<WaitingMessage> ExpiredIn(long thread, long after, long through, DateTimeOffset now)
    {
        connection.Lock(thread);
        return Read(_expiredIn.Bind(thread).Bind(after).Bind(through).Bind(now));
    }

    public IReadOnlyList<WaitingMessage> Expired(DateTimeOffset now, int limit)
    {
        var held = connection.LockFree(_expiredOwners.Bind(now).Bind(limit).Numbers());
        return held.Count > 0 ? Read(_expired.Bind(now).Bind(limit).Bind([.. held])) : [];
    }

    public int Forget(DateTimeOffset now, int limit)
    {
        var held = connection.LockFree(_forgottenOwners.Bind(now).Bind(limit).Numbers());
        return held.Count > 0 ? _forget.Bind(now).Bind(limit).Bind([.. held]).Run() : 0;
    }

    private static List<WaitingMessage> Read(Statement statement)
    {
        var waiting = new List<WaitingMessage>();
        using var rows = statement.Rows();
        while (rows.Next())
        {
            waiting.Add(new WaitingMessage(rows.Number(0), rows.Text(1), (MessageBox)rows.Number(2), rows.Number(3)));
        }

        return waiting;
    }
}
