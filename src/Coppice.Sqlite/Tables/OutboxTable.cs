namespace Coppice.Sqlite;

/// <summary>The writer's statements on the outbox.</summary>
internal sealed class OutboxTable(Connection connection) : IOutboxRows
{
    private const string Columns = "n, sender, recipient, attempts, claim, json";

    private readonly Statement _add = connection.Prepare(
        "INSERT INTO outbox (sender, recipient, due_ms, json) "
        + "VALUES (?1, ?2, CASE WHEN EXISTS (SELECT 1 FROM outbox WHERE sender = ?1 AND recipient = ?2) THEN NULL ELSE ?3 END, ?4)");

    private readonly Statement _due = connection.Prepare(
        $"SELECT {Columns} FROM outbox INDEXED BY outbox_due WHERE due_ms <= ? ORDER BY due_ms, n LIMIT 1");

    private readonly Statement _next = connection.Prepare("SELECT min(due_ms) FROM outbox INDEXED BY outbox_due WHERE due_ms IS NOT NULL");
    private readonly Statement _get = connection.Prepare($"SELECT {Columns} FROM outbox WHERE n = ?");
    private readonly Statement _claim = connection.Prepare("UPDATE outbox SET claim = ?, due_ms = NULL, attempts = attempts + 1 WHERE n = ?");
    private readonly Statement _makeReady = connection.Prepare("UPDATE outbox SET claim = NULL, due_ms = ?, attempts = ? WHERE n = ?");
    private readonly Statement _remove = connection.Prepare("DELETE FROM outbox WHERE n = ?");
    private readonly Statement _first = connection.Prepare(
        "UPDATE outbox SET due_ms = ?3 WHERE n = (SELECT min(n) FROM outbox WHERE sender = ?1 AND recipient = ?2) AND due_ms IS NULL AND claim IS NULL");

    private readonly Statement _release = connection.Prepare("UPDATE outbox SET claim = NULL, due_ms = ? WHERE claim = ?");
    private readonly Statement _claims = connection.Prepare("SELECT DISTINCT claim FROM outbox INDEXED BY outbox_claimed WHERE claim IS NOT NULL");

    /// <summary>Adds a message at the end of its lane and returns its number.</summary>
    public long Add(long sender, long recipient, ThreadMessage message, DateTimeOffset now)
    {
        _add.Bind(sender).Bind(recipient).Bind(now.ToUnixTimeMilliseconds()).Bind(MailEventJson.Serialize(message)).Run();
        return connection.LastInsertKey;
    }

    public OutboxEntry? FindDue(DateTimeOffset now) => Read(_due.Bind(now));

    public OutboxEntry? Find(long number) => Read(_get.Bind(number));

    public DateTimeOffset? NextDue() => _next.Scalar() is { } ms ? DateTimeOffset.FromUnixTimeMilliseconds(ms) : null;

    public void Claim(long number, long epoch) => _claim.Bind(epoch).Bind(number).Run();

    public void MakeReady(long number, DateTimeOffset due, int attempts) => _makeReady.Bind(due).Bind(attempts).Bind(number).Run();

    /// <summary>Takes a message out of its lane, whose next one gets ready.</summary>
    public void Remove(in OutboxEntry entry, DateTimeOffset now)
    {
        _remove.Bind(entry.Number).Run();
        _first.Bind(entry.Sender).Bind(entry.Recipient).Bind(now.ToUnixTimeMilliseconds()).Run();
    }

    /// <summary>Gives back what a host had taken.</summary>
    public void Release(long epoch, DateTimeOffset now) => _release.Bind(now).Bind(epoch).Run();

    /// <summary>The hosts that have taken messages.</summary>
    public IReadOnlyList<long> Claimants() => _claims.Numbers();

    private static OutboxEntry? Read(Statement statement)
    {
        using var rows = statement.Rows();
        return rows.Next()
            ? new OutboxEntry(
                rows.Number(0), rows.Number(1), rows.Number(2), (int)rows.Number(3), rows.NumberOrNull(4),
                (ThreadMessage)MailEventJson.Deserialize(rows.Text(5)))
            : null;
    }
}
