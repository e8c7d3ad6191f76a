using Npgsql;

namespace Coppice.PostgreSql;

/// <summary>
/// Whether a pooler such as PgBouncer stands in between that gives a session's statements to whichever server process is free. Hosts hold locks and listen by their
/// sessions, which then are nobody's.
/// </summary>
internal static class PoolerCheck
{
    private const int Looks = 5;

    public static async Task RunAsync(Examination server, NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        if (!await IsPooledAsync(server.Connection, cancellationToken).ConfigureAwait(false))
        {
            server.Ok("pooler", $"no pooler stands in between");
        }
        else if (await SharesSessionsAsync(server.Connection, source.OpenConnectionAsync, cancellationToken).ConfigureAwait(false))
        {
            server.Fail(
                "pooler", $"a pooler stands in between and shares server processes between sessions (PgBouncer: pool_mode transaction or statement)",
                $"Connect to the server itself, or set pool_mode = session for this database.");
        }
        else
        {
            server.Ok("pooler", $"a pooler stands in between, and leaves each session its server process");
        }
    }

    /// <summary>Whether sessions are shared. Where no pooler is in between it costs one round trip.</summary>
    /// <param name="connection">A connection on which nothing is set yet.</param>
    /// <param name="bare">The connection string of others that set and prepare nothing.</param>
    public static async Task<bool> SharesSessionsAsync(NpgsqlConnection connection, string bare)
    {
        if (!await IsPooledAsync(connection, CancellationToken.None).ConfigureAwait(false))
        {
            return false;
        }

        var first = await OpenAsync(CancellationToken.None).ConfigureAwait(false);
        await using (first.ConfigureAwait(false))
        {
            return await SharesSessionsAsync(first, OpenAsync, CancellationToken.None).ConfigureAwait(false);
        }

        async ValueTask<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken)
        {
            var opened = new NpgsqlConnection(bare);
            await opened.OpenAsync(cancellationToken).ConfigureAwait(false);
            return opened;
        }
    }

    // A pooler greets its clients with a process number of its own making.
    private static async Task<bool> IsPooledAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        await ProcessAsync(connection, cancellationToken).ConfigureAwait(false) != connection.ProcessID;

    // Two sessions are open, and one is in a transaction. If that has the server process that the other was just given, or the other is given another one
    // now, they share. The pooler that hands out the process that became free last does so at the first look.
    private static async Task<bool> SharesSessionsAsync(
        NpgsqlConnection first, Func<CancellationToken, ValueTask<NpgsqlConnection>> open, CancellationToken cancellationToken)
    {
        var second = await open(cancellationToken).ConfigureAwait(false);
        await using (second.ConfigureAwait(false))
        {
            for (var look = 0; look < Looks; look++)
            {
                var before = await ProcessAsync(first, cancellationToken).ConfigureAwait(false);
                try
                {
                    var transaction = await second.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
                    await using (transaction.ConfigureAwait(false))
                    {
                        if (await ProcessAsync(second, cancellationToken).ConfigureAwait(false) == before
                            || await ProcessAsync(first, cancellationToken).ConfigureAwait(false) != before)
                        {
                            return true;
                        }
                    }
                }
                catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.ProtocolViolation)
                {
                    // A pooler of statements lets nobody have a transaction.
                    return true;
                }
            }

            return false;
        }
    }

    private static async Task<int> ProcessAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var command = new NpgsqlCommand("SELECT pg_backend_pid()", connection);
        await using (command.ConfigureAwait(false))
        {
            return (int)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
        }
    }
}
