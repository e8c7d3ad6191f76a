using System.Diagnostics.CodeAnalysis;
using Npgsql;

namespace Coppice.PostgreSql;

/// <summary>
/// The open hosts of other processes, as a transaction sees them. Whoever joins holds a lock of the schema alone that every other transaction shares: what
/// commits after the join knows of the host, and what did not know of it has committed before, where the host can read it.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "A batch holds nothing; it goes with its connection.")]
internal sealed class OpenHosts(WriterConnection connection, long process)
{
    private static readonly string Key = SessionLocks.KeySql("hosts", "''");

    // A statement after that of the lock, so that it sees what the last holder has left.
    private const string OthersSql = "SELECT epoch, handles_unread FROM {schema}.hosts WHERE is_open AND process <> $1 ORDER BY epoch";

    private readonly NpgsqlBatch _share = Prepare(connection, process, $"SELECT pg_advisory_xact_lock_shared({Key})");
    private readonly NpgsqlBatch _own = Prepare(connection, process, $"SELECT pg_advisory_xact_lock({Key})");

    /// <summary>Gets the open hosts of other processes, by their epochs.</summary>
    public IReadOnlyList<OpenHost> Others { get; private set; } = [];

    /// <summary>Takes the lock and looks. The transaction holds no other yet.</summary>
    /// <param name="joins">Whether a host joins in the transaction.</param>
    public void Begin(bool joins)
    {
        var others = new List<OpenHost>();
        using var rows = new RowScope((joins ? _own : _share).ExecuteReader());
        rows.Reader.NextResult();
        while (rows.Next())
        {
            others.Add(new OpenHost(rows.Number(0), rows.Flag(1)));
        }

        Others = others;
    }

    private static NpgsqlBatch Prepare(WriterConnection connection, long process, string lockSql)
    {
        var batch = connection.PrepareAll(lockSql, OthersSql);
        batch.BatchCommands[1].Parameters.Add(Parameter.Of(process));
        return batch;
    }
}
