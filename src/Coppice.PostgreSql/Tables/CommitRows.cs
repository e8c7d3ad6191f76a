using Npgsql;

namespace Coppice.PostgreSql;

/// <summary>A transaction, as it can be looked up on whichever server answers later.</summary>
/// <param name="Writer">The connection that wrote it.</param>
/// <param name="Number">Which of that connection's it is, from 1.</param>
internal readonly record struct CommitMark(Guid Writer, long Number);

/// <summary>Marks the transactions of a connection, and finds out what became of one whose answer was lost.</summary>
internal sealed class CommitRows(WriterConnection connection)
{
    private const string Wait = "250ms";

    // Nobody is to wait for the lock of a connection that the server has not found dead yet, so each has a row of its own.
    private readonly Guid _writer = Guid.NewGuid();

    // What is still under way has the row, or comes to it later and finds it closed. It is written, and not only read: where a standby has to confirm each
    // commit, this one waits until it has the earlier one as well.
    private readonly Statement _close = connection.PrepareApart(
        """
        INSERT INTO {schema}.commits AS c (writer, number, closed, at) VALUES ($1, 0, true, now())
        ON CONFLICT (writer) DO UPDATE SET closed = true RETURNING c.number >= $2
        """);

    private readonly Statement _limitWait = connection.PrepareApart($"SET lock_timeout = '{Wait}'");
    private readonly Statement _unlimitWait = connection.PrepareApart("RESET lock_timeout");
    private readonly Statement _tidy = connection.Prepare("DELETE FROM {schema}.commits WHERE at < now() - interval '1 day'");
    private long _last;

    /// <summary>The mark of the next transaction.</summary>
    public CommitMark Next() => new(_writer, ++_last);

    /// <summary>Whether a transaction has landed; <see langword="null"/> while it may be about to. One that has not will not.</summary>
    public bool? HasLanded(CommitMark mark)
    {
        _limitWait.Run();
        try
        {
            using var rows = _close.Bind(mark.Writer).Bind(mark.Number).Rows();
            return rows.Next() && rows.Flag(0);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            return null;
        }
        finally
        {
            if (connection.IsOpen)
            {
                _unlimitWait.Run();
            }
        }
    }

    /// <summary>Removes what nobody can ask for any more.</summary>
    public void Tidy() => _tidy.Run();
}
