using System.Globalization;

namespace Coppice.PostgreSql;

/// <summary>Whether there is room for hosts, and whether the server tidies up behind them.</summary>
internal static class RoomChecks
{
    private const long LargeTable = 10_000;

    private static readonly TimeSpan LongTransaction = TimeSpan.FromMinutes(10);

    public static async Task ConnectionsAsync(Examination server, CancellationToken cancellationToken)
    {
        var row = await server.RowAsync(
            """
            SELECT current_setting('max_connections')::bigint - current_setting('superuser_reserved_connections')::bigint
                    - coalesce(current_setting('reserved_connections', true)::bigint, 0),
                (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()),
                (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user),
                (SELECT datconnlimit FROM pg_database WHERE datname = current_database())
            """,
            cancellationToken).ConfigureAwait(false);
        var (most, used) = ((long)row[0]!, (long)row[1]!);
        foreach (var limit in new[] { (int)row[2]!, (int)row[3]! })
        {
            most = limit >= 0 ? Math.Min(most, limit) : most;
        }

        var perHost = Database.WriterConnections + Database.SessionConnections + server.Options.ReaderConnections;
        var more = Math.Max(0, most - used) / perHost;
        FormattableString found = $"{used} of {most} connections are taken; a host takes up to {perHost}, so there is room for {more} more";
        if (more == 0)
        {
            server.Warn(
                "connections", found,
                $"Raise max_connections (or the limit of the role or database), or lower ReaderConnections of the hosts.");
        }
        else
        {
            server.Ok("connections", found);
        }
    }

    public static async Task VacuumAsync(Examination store, CancellationToken cancellationToken)
    {
        var wrong = new List<(string Found, string Advice)>();
        var isOn = (bool)(await store.RowAsync(
            "SELECT current_setting('autovacuum') = 'on' AND current_setting('track_counts') = 'on'", cancellationToken).ConfigureAwait(false))[0]!;
        if (!isOn)
        {
            wrong.Add(("autovacuum is off", "Tables only grow. Set autovacuum and track_counts to on."));
        }

        await TablesAsync(store, wrong, cancellationToken).ConfigureAwait(false);
        var old = await store.RowsAsync(string.Create(CultureInfo.InvariantCulture,
            $"""
            SELECT pid::bigint, extract(epoch FROM clock_timestamp() - xact_start)::bigint FROM pg_stat_activity
            WHERE datname = current_database() AND backend_type = 'client backend' AND xact_start < clock_timestamp() - interval '{(int)LongTransaction.TotalSeconds} seconds'
            ORDER BY xact_start LIMIT 3
            """), cancellationToken).ConfigureAwait(false);
        foreach (var row in old)
        {
            wrong.Add((
                string.Create(CultureInfo.InvariantCulture, $"process {row[0]} of the server is in a transaction for {(long)row[1]! / 60} min"),
                "Nothing that was deleted since can be tidied up. End it, or see who leaves transactions open."));
        }

        store.Judge("vacuum", "autovacuum is on, and no large table lacks statistics", wrong);
    }

    private static async Task TablesAsync(Examination store, List<(string Found, string Advice)> wrong, CancellationToken cancellationToken)
    {
        var tables = await store.RowsAsync(
            """
            SELECT c.relname, s.n_live_tup, s.n_dead_tup, coalesce(s.last_analyze, s.last_autoanalyze) IS NULL,
                coalesce('autovacuum_enabled=false' = ANY (c.reloptions) OR 'autovacuum_enabled=off' = ANY (c.reloptions), false)
            FROM pg_class c JOIN pg_stat_user_tables s ON s.relid = c.oid WHERE c.relnamespace = '{schema}'::regnamespace ORDER BY c.relname
            """,
            cancellationToken).ConfigureAwait(false);
        foreach (var row in tables)
        {
            var (name, live, dead) = ((string)row[0]!, (long)row[1]!, (long)row[2]!);
            if ((bool)row[4]!)
            {
                wrong.Add(($"autovacuum is off for {name}", $"ALTER TABLE {store.Schema}.{name} RESET (autovacuum_enabled)."));
            }

            if (live >= LargeTable && (bool)row[3]!)
            {
                wrong.Add(
                    (string.Create(CultureInfo.InvariantCulture, $"{name} has about {live} rows and no statistics"), $"ANALYZE {store.Schema}.{name}."));
            }

            if (dead > 10 * LargeTable && dead > 2 * live)
            {
                wrong.Add(
                    (string.Create(CultureInfo.InvariantCulture, $"{name} has about {dead} dead rows and {live} live ones"),
                    $"VACUUM {store.Schema}.{name}, and see what keeps autovacuum from it."));
            }
        }
    }
}
