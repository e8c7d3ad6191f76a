namespace Coppice.PostgreSql;

/// <summary>
/// The writer's statements on failed messages. Whoever ends a transaction says so by <see cref="Landed"/> or <see cref="TakenBack"/>, so that a sender
/// whose messages were dropped in vain comes again.
/// </summary>
internal sealed class FailedRows(WriterConnection connection, GrownSenders grown) : IFailedMessageRows
{
    private const string Columns = "n, recipient, box, json";

    private readonly HashSet<long> _trimmed = [];

    private readonly Statement _add = connection.Prepare(
        "INSERT INTO {schema}.failed_messages (owner_thread_id, recipient, box, seq, attempts, failed_ms, json, reason) "
        + "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");

    private readonly Statement _list = connection.Prepare($"SELECT {Columns} FROM {{schema}}.failed_messages WHERE owner_thread_id = $1 ORDER BY n");
    private readonly Statement _listOf = connection.Prepare(
        $"SELECT {Columns} FROM {{schema}}.failed_messages WHERE owner_thread_id = $1 AND n = ANY ($2) ORDER BY n");

    private readonly Statement _remove = connection.Prepare("DELETE FROM {schema}.failed_messages WHERE n = $1");
    private readonly Statement _clear = connection.Prepare("DELETE FROM {schema}.failed_messages WHERE owner_thread_id = $1");

    // For each sender, what is not newer than the newest one too many.
    private readonly Statement _trim = connection.Prepare(
        "DELETE FROM {schema}.failed_messages AS failed USING unnest($1) AS sender, LATERAL "
        + "(SELECT n FROM {schema}.failed_messages WHERE owner_thread_id = sender ORDER BY n DESC LIMIT 1 OFFSET $2) AS surplus "
        + "WHERE failed.owner_thread_id = sender AND failed.n <= surplus.n");

    public void Add(long sender, long recipient, MessageBox box, long sequence, int attempts, DateTimeOffset now, string json, string reason)
    {
        connection.Lock(sender);
        _add.Bind(sender).Bind(recipient).Bind((long)box).Bind(sequence).Bind(attempts).Bind(now).Bind(json).Bind(reason).Note();
        grown.Add([sender]);
    }

    public IReadOnlyList<FailedEntry> List(long sender, IReadOnlyCollection<long>? numbers)
    {
        connection.Lock(sender);
        var entries = new List<FailedEntry>();
        using var rows = (numbers is null ? _list.Bind(sender) : _listOf.Bind(sender).Bind([.. numbers])).Rows();
        while (rows.Next())
        {
            entries.Add(new FailedEntry(rows.Number(0), rows.Number(1), (MessageBox)rows.Number(2), rows.Text(3)));
        }

        return entries;
    }

    /// <summary>Forgets one that this transaction has listed, and whose sender it therefore holds.</summary>
    public void Remove(long number) => _remove.Bind(number).Note();

    public int Clear(long sender)
    {
        connection.Lock(sender);
        return _clear.Bind(sender).Run();
    }

    /// <inheritdoc/>
    /// <remarks>A sender whom another transaction has is left for the next time.</remarks>
    public int Trim(int max)
    {
        var held = connection.LockFree(grown.ToList());
        if (held.Count == 0)
        {
            return 0;
        }

        // Nobody else can add to a list that is held, so none of these is there for something that is not seen here.
        _trimmed.UnionWith(held);
        grown.Remove(held);
        return _trim.Bind([.. held]).Bind(max).Run();
    }

    /// <summary>The transaction has committed.</summary>
    public void Landed() => _trimmed.Clear();

    /// <summary>The transaction was rolled back, as a whole or to its mark, or nobody knows.</summary>
    public void TakenBack()
    {
        grown.Add(_trimmed);
        _trimmed.Clear();
    }
}
