namespace Coppice.PostgreSql;

/// <summary>
/// The open hosts of other processes, as a transaction sees them. Whoever joins holds a lock of the schema alone that every other transaction shares: what
/// commits after the join knows of the host, and what did not know of it has committed before, where the host can read it.
/// </summary>
internal sealed class OpenHosts(WriterConnection connection, long process)
{
    private static readonly string Key = SessionLocks.KeySql("hosts", "''");

    private readonly Statement _share = connection.PrepareApart($"SELECT pg_advisory_xact_lock_shared({Key})");
    private readonly Statement _own = connection.PrepareApart($"SELECT pg_advisory_xact_lock({Key})");

    // A statement after that of the lock, so that it sees what the last holder has left.
    private readonly Statement _others = connection.PrepareApart(
        "SELECT epoch, handles_unread FROM {schema}.hosts WHERE is_open AND process <> $1 ORDER BY epoch");

    /// <summary>Gets the open hosts of other processes, by their epochs.</summary>
    public IReadOnlyList<OpenHost> Others { get; private set; } = [];

    /// <summary>Takes the lock. The transaction holds no other yet.</summary>
    /// <param name="joins">Whether a host joins in the transaction.</param>
    public Question AskLock(bool joins) => (joins ? _own : _share).Ask(static _ => { });

    /// <summary>Looks, once the lock is held.</summary>
    public Question AskOthers() => _others.Bind(process).Ask(rows =>
    {
        var others = new List<OpenHost>();
        while (rows.Next())
        {
            others.Add(new OpenHost(rows.Number(0), rows.Flag(1)));
        }

        Others = others;
    });
}
