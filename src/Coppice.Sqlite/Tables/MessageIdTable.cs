namespace Coppice.Sqlite;

/// <summary>The writer's statements on the ids of messages between threads.</summary>
internal sealed class MessageIdTable(Connection connection) : IMessageIdRows
{
    private readonly Statement _find = connection.Prepare(
        "SELECT place, box FROM message_ids WHERE thread = ? AND id = ? AND (forget_ms IS NULL OR forget_ms > ?) ORDER BY box");

    private readonly Statement _add = connection.Prepare(
        "INSERT OR REPLACE INTO message_ids (thread, id, box, place, keep_ms, expires_ms) VALUES (?, ?, ?, ?, ?, ?)");

    // A time that cannot be counted any more counts as the last one.
    private readonly Statement _end = connection.Prepare(
        "UPDATE message_ids SET expires_ms = NULL, forget_ms = CASE WHEN keep_ms > 9223372036854775807 - ?3 THEN 9223372036854775807 ELSE keep_ms + ?3 END "
        + "WHERE thread = ?1 AND id = ?2 AND box = ?4");

    private readonly Statement _endThrough = connection.Prepare(
        "UPDATE message_ids SET expires_ms = NULL, forget_ms = CASE WHEN keep_ms > 9223372036854775807 - ?3 THEN 9223372036854775807 ELSE keep_ms + ?3 END "
        + "WHERE thread = ?1 AND place <= ?2 AND box = 0 AND forget_ms IS NULL");

    private readonly Statement _expiredIn = connection.Prepare(
        "SELECT thread, id, box, place FROM message_ids INDEXED BY message_ids_waiting "
        + "WHERE thread = ? AND place > ? AND place <= ? AND box = 0 AND forget_ms IS NULL AND expires_ms <= ? ORDER BY place");

    private readonly Statement _expired = connection.Prepare(
        "SELECT thread, id, box, place FROM message_ids INDEXED BY message_ids_that_expire WHERE expires_ms <= ? ORDER BY expires_ms, place LIMIT ?");

    private readonly Statement _forget = connection.Prepare(
        "DELETE FROM message_ids WHERE (thread, id, box) IN "
        + "(SELECT thread, id, box FROM message_ids INDEXED BY message_ids_to_forget WHERE forget_ms <= ? LIMIT ?) RETURNING 1");

    /// <summary>Where the message of an id is or was; only in the mailbox, or first there and then in the outbox.</summary>
    public (long Place, MessageBox Box)? Find(long thread, string id, DateTimeOffset now, bool onlyMailbox)
    {
        using var rows = _find.Bind(thread).Bind(id).Bind(now).Rows();
        return rows.Next() && (MessageBox)rows.Number(1) is var box && (box == MessageBox.Mailbox || !onlyMailbox) ? (rows.Number(0), box) : null;
    }

    public void Add(long thread, ThreadMessage message, MessageBox box, long place, TimeSpan keep) =>
        _add.Bind(thread).Bind(message.MessageId).Bind((long)box).Bind(place).Bind((long)keep.TotalMilliseconds).Bind(message.ExpiresAt).Run();

    /// <summary>A message was sent or has failed: its id is kept for a while.</summary>
    public void End(long thread, string id, MessageBox box, DateTimeOffset now) =>
        _end.Bind(thread).Bind(id).Bind(now.ToUnixTimeMilliseconds()).Bind((long)box).Run();

    /// <summary>The messages of a mailbox up to a sequence were acknowledged.</summary>
    public void EndThrough(long thread, long through, DateTimeOffset now) =>
        _endThrough.Bind(thread).Bind(through).Bind(now.ToUnixTimeMilliseconds()).Run();

    /// <summary>The messages of a mailbox that have expired, after one sequence and up to another.</summary>
    public IReadOnlyList<WaitingMessage> ExpiredIn(long thread, long after, long through, DateTimeOffset now) =>
        Read(_expiredIn.Bind(thread).Bind(after).Bind(through).Bind(now));

    public IReadOnlyList<WaitingMessage> Expired(DateTimeOffset now, int limit) => Read(_expired.Bind(now).Bind(limit));

    /// <summary>Forgets ids and tells how many.</summary>
    public int Forget(DateTimeOffset now, int limit)
    {
        var count = 0;
        using var rows = _forget.Bind(now).Bind(limit).Rows();
        while (rows.Next())
        {
            count++;
        }

        return count;
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
