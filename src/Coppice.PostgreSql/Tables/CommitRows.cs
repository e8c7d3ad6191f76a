using System.Globalization;
using Npgsql;

namespace Coppice.PostgreSql;

/// <summary>A transaction, as it can be looked up on whichever server answers later.</summary>
/// <param name="Transaction">Its number, which another may get where a crash or a failover lost it.</param>
/// <param name="Writer">The connection that wrote it.</param>
/// <param name="Number">Which of that connection's it is, from 1.</param>
internal readonly record struct CommitMark(long Transaction, Guid Writer, long Number);

/// <summary>Marks the transactions of a connection, and finds out what became of one whose answer was lost.</summary>
internal sealed class CommitRows(WriterConnection connection, NumberRows numbers)
{
    // Nobody is to wait for the lock of a connection that the server has not found dead yet, so each has a row of its own.
    private readonly Guid _writer = Guid.NewGuid();
    private readonly Statement _mark = connection.Prepare(
        """
        INSERT INTO {schema}.commits (writer, number, at) VALUES ($1, $2, now())
        ON CONFLICT (writer) DO UPDATE SET number = excluded.number, at = excluded.at
        """);

    private readonly Statement _status = connection.PrepareApart("SELECT pg_xact_status($1::xid8)");

    // Written and not only read: where a standby has to confirm each commit, this one waits until it has the earlier one as well.
    private readonly Statement _confirm = connection.Prepare("UPDATE {schema}.commits SET number = number WHERE writer = $1 AND number >= $2 RETURNING 1");
    private readonly Statement _tidy = connection.Prepare("DELETE FROM {schema}.commits WHERE at < now() - interval '1 day'");
    private long _last;

    /// <summary>Marks the transaction that is under way.</summary>
    /// <returns><see langword="null"/> when it has written nothing.</returns>
    public CommitMark? Mark()
    {
        if (numbers.TransactionId is not { } transaction)
        {
            return null;
        }

        _mark.Bind(_writer).Bind(++_last).Note();
        return new CommitMark(transaction, _writer, _last);
    }

    /// <summary>Whether a transaction has landed; <see langword="null"/> while it may be about to.</summary>
    public bool? HasLanded(CommitMark mark)
    {
        try
        {
            using var rows = _status.Bind(mark.Transaction.ToString(CultureInfo.InvariantCulture)).Rows();
            if (rows.Next() && rows.TextOrNull(0) == "in progress")
            {
                return null;
            }
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InvalidParameterValue)
        {
            // The server has not come to that number: it knows nothing of the transaction.
        }

        return _confirm.Bind(mark.Writer).Bind(mark.Number).Scalar() is not null;
    }

    /// <summary>Removes what nobody can ask for any more.</summary>
    public void Tidy() => _tidy.Run();
}
