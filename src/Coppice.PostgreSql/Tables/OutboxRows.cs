namespace Coppice.PostgreSql;

/// <summary>
/// The writer's statements on the outbox. Whatever takes a number or an entry, other than <see cref="Find"/>, is about one that this transaction has
/// found, and whose sender it therefore holds.
/// </summary>
internal sealed class OutboxRows(WriterConnection connection) : IOutboxRows
{
    private const string Columns = "n, owner_thread_id, recipient, attempts, claim, json";

    // How many of the first that are due are looked at, and of how many at a time the threads are taken, so that hosts that look side by side
    // leave something to each other.
    private const int Window = 64;
    private const int AtOnce = 8;

    private readonly Statement _add = connection.Prepare(
        "INSERT INTO {schema}.outbox (owner_thread_id, recipient, due_ms, json) "
        + "VALUES ($1, $2, CASE WHEN EXISTS (SELECT 1 FROM {schema}.outbox WHERE owner_thread_id = $1 AND recipient = $2) THEN NULL ELSE $3 END, $4) "
        + "RETURNING n");

    private readonly Statement _candidates = connection.Prepare(
        "SELECT n, owner_thread_id, recipient FROM {schema}.outbox WHERE due_ms <= $1 ORDER BY due_ms, n LIMIT $2");

    private readonly Statement _dueOf = connection.Prepare(
        $"SELECT {Columns} FROM {{schema}}.outbox WHERE n = ANY ($2) AND due_ms <= $1 ORDER BY due_ms, n LIMIT 1");

    private readonly Statement _next = connection.Prepare("SELECT min(due_ms) FROM {schema}.outbox WHERE due_ms IS NOT NULL");
    private readonly Statement _get = connection.Prepare($"SELECT {Columns} FROM {{schema}}.outbox WHERE n = $1");
    private readonly Statement _claim = connection.Prepare(
        "UPDATE {schema}.outbox SET claim = $1, due_ms = NULL, attempts = attempts + 1 WHERE n = $2");

    private readonly Statement _makeReady = connection.Prepare("UPDATE {schema}.outbox SET claim = NULL, due_ms = $1, attempts = $2 WHERE n = $3");

    // The part that deletes is not seen by the one that looks for the next of the lane, which therefore leaves that number out.
    private readonly Statement _remove = connection.Prepare(
        "WITH gone AS (DELETE FROM {schema}.outbox WHERE owner_thread_id = $1 AND n = $3) "
        + "UPDATE {schema}.outbox SET due_ms = $4 WHERE owner_thread_id = $1 "
        + "AND n = (SELECT min(n) FROM {schema}.outbox WHERE owner_thread_id = $1 AND recipient = $2 AND n <> $3) "
        + "AND due_ms IS NULL AND claim IS NULL");

    private readonly Statement _claimedSenders = connection.Prepare("SELECT DISTINCT owner_thread_id FROM {schema}.outbox WHERE claim = $1");
    private readonly Statement _release = connection.Prepare(
        "UPDATE {schema}.outbox SET claim = NULL, due_ms = $1 WHERE claim = $2 AND owner_thread_id = ANY ($3)");

    private readonly Statement _claimants = connection.Prepare("SELECT DISTINCT claim FROM {schema}.outbox WHERE claim IS NOT NULL");

    public long Add(long sender, long recipient, ThreadMessage message, DateTimeOffset now)
    {
        connection.Lock(sender);
        return _add.Bind(sender).Bind(recipient).Bind(now).Bind(MailEventJson.Serialize(message)).Scalar()!.Value;
    }

    public OutboxEntry? FindDue(DateTimeOffset now)
    {
        foreach (var some in Candidates(now).Chunk(AtOnce))
        {
            // The recipient's too: the rules go on to write the id of a message that has failed.
            var held = connection.LockFree(some.SelectMany(candidate => (long[])[candidate.Sender, candidate.Recipient]));
            var free = some.Where(candidate => held.Contains(candidate.Sender) && held.Contains(candidate.Recipient));
            long[] numbers = [.. free.Select(candidate => candidate.Number)];
            if (numbers.Length > 0 && Read(_dueOf.Bind(now).Bind(numbers)) is { } entry)
            {
                return entry;
            }
        }

        return null;
    }

    public OutboxEntry? Find(long number)
    {
        // A number that is gone is gone for good, whoever holds the thread that it was of.
        if (Read(_get.Bind(number)) is not { Sender: var sender } seen)
        {
            return null;
        }

        if (connection.Locked.Contains(sender))
        {
            return seen;
        }

        connection.Lock(sender);
        return Read(_get.Bind(number));
    }

    public DateTimeOffset? NextDue()
    {
        if (connection.HasSkipped)
        {
            return DateTimeOffset.UnixEpoch;
        }

        return _next.Scalar() is { } due ? DateTimeOffset.FromUnixTimeMilliseconds(due) : null;
    }

    public void Claim(long number, long epoch) => _claim.Bind(epoch).Bind(number).Note();

    public void MakeReady(long number, DateTimeOffset due, int attempts) => _makeReady.Bind(due).Bind(attempts).Bind(number).Note();

    public void Remove(in OutboxEntry entry, DateTimeOffset now) =>
        _remove.Bind(entry.Sender).Bind(entry.Recipient).Bind(entry.Number).Bind(now).Note();

    public void Release(long epoch, DateTimeOffset now)
    {
        List<long> senders;
        while ((senders = _claimedSenders.Bind(epoch).Numbers()).Exists(sender => !connection.Locked.Contains(sender)))
        {
            connection.LockAll(senders);
        }

        if (senders.Count > 0)
        {
            _release.Bind(now).Bind(epoch).Bind([.. senders]).Note();
        }
    }

    public IReadOnlyList<long> Claimants() => _claimants.Numbers();

    private List<(long Number, long Sender, long Recipient)> Candidates(DateTimeOffset now)
    {
        var candidates = new List<(long Number, long Sender, long Recipient)>();
        using var rows = _candidates.Bind(now).Bind(Window).Rows();
        while (rows.Next())
        {
            candidates.Add((rows.Number(0), rows.Number(1), rows.Number(2)));
        }

        return candidates;
    }

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
