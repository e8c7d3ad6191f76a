using System.Globalization;

namespace Coppice.PostgreSql;

/// <summary>Whether the server is one that hosts can rely on.</summary>
internal static class ServerChecks
{
    private const int OldestVersion = 130_000;
    private const int RoundTrips = 5;

    private static readonly TimeSpan LongRoundTrip = TimeSpan.FromMilliseconds(10);

    public static async Task ConnectionAsync(Examination server, string place, TimeSpan toConnect, CancellationToken cancellationToken)
    {
        var user = (string)(await server.RowAsync("SELECT current_user::text", cancellationToken).ConfigureAwait(false))[0]!;
        var roundTrip = await RoundTripAsync(server, cancellationToken).ConfigureAwait(false);
        FormattableString found =
            $"{place} as {user}: connected in {toConnect.TotalMilliseconds:0} ms, a round trip takes {roundTrip.TotalMilliseconds:0.0} ms";
        if (roundTrip > LongRoundTrip)
        {
            server.Warn("connection", found, $"A commit is several round trips. Put hosts and server into one place of the network.");
        }
        else
        {
            server.Ok("connection", found);
        }
    }

    public static async Task VersionAsync(Examination server, CancellationToken cancellationToken)
    {
        var row = await server.RowAsync(
            "SELECT current_setting('server_version_num')::int, current_setting('server_version'), current_setting('server_encoding')",
            cancellationToken).ConfigureAwait(false);
        var (number, name, encoding) = ((int)row[0]!, (string)row[1]!, (string)row[2]!);
        if (number < OldestVersion)
        {
            server.Fail("server", $"PostgreSQL {name}", $"Coppice needs PostgreSQL {OldestVersion / 10_000} or newer. Upgrade the server.");
        }
        else if (encoding != "UTF8")
        {
            server.Fail(
                "server", $"PostgreSQL {name}, the database is in {encoding}",
                $"Ids and results are Unicode. Create the database with ENCODING 'UTF8'.");
        }
        else
        {
            server.Ok("server", $"PostgreSQL {name}");
        }
    }

    public static async Task PrimaryAsync(Examination server, CancellationToken cancellationToken)
    {
        var row = await server.RowAsync(
            "SELECT pg_is_in_recovery(), current_setting('transaction_read_only') = 'on'", cancellationToken).ConfigureAwait(false);
        if ((bool)row[0]!)
        {
            server.Fail(
                "primary", $"the server is a standby and takes no writes",
                $"Name all servers in the connection string (Host=a,b): hosts find the primary among them.");
        }
        else if ((bool)row[1]!)
        {
            server.Fail("primary", $"transactions are read-only here", $"Set default_transaction_read_only to off for this role and database.");
        }
        else
        {
            server.Ok("primary", $"the server takes writes");
        }
    }

    public static async Task DurabilityAsync(Examination server, CancellationToken cancellationToken)
    {
        var row = await server.RowAsync(
            "SELECT current_setting('fsync'), current_setting('synchronous_commit'), current_setting('full_page_writes')", cancellationToken).ConfigureAwait(false);
        var (fsync, commit, pages) = ((string)row[0]!, (string)row[1]!, (string)row[2]!);
        if (fsync == "off")
        {
            server.Fail(
                "durability", $"fsync is off",
                $"What was acknowledged, and the whole database, can be lost with the power. Set fsync to on.");
        }
        else if (pages == "off")
        {
            server.Warn(
                "durability", $"full_page_writes is off",
                $"Unless the disk writes pages whole, the database can be damaged by a loss of power. Set it to on.");
        }
        else
        {
            // What a host finds at off it sets to on for itself.
            server.Ok(
                "durability",
                $"fsync is on, synchronous_commit is {commit}{(commit == "off" ? ", which hosts set to on for themselves" : "")}");
        }
    }

    public static async Task SettingsAsync(Examination server, CancellationToken cancellationToken)
    {
        var set = await server.RowsAsync(
            """
            SELECT name, setting FROM pg_settings WHERE setting <> '0'
            AND name IN ('statement_timeout', 'lock_timeout', 'transaction_timeout', 'idle_session_timeout', 'client_connection_check_interval')
            ORDER BY name
            """,
            cancellationToken).ConfigureAwait(false);
        var wrong = new List<(string Found, string Advice)>();
        foreach (var row in set)
        {
            var (name, milliseconds) = ((string)row[0]!, long.Parse((string)row[1]!, CultureInfo.InvariantCulture));
            if (Objection(name, milliseconds, server.Options.CommandTimeout) is { } objection)
            {
                wrong.Add(
                    (string.Create(CultureInfo.InvariantCulture, $"{name} is {milliseconds} ms"),
                    $"{objection} ALTER ROLE … SET {name} = 0 for the role of the hosts."));
            }
        }

        server.Judge("settings", "no time limit of the server stands in the way", wrong);
    }

    private static string? Objection(string name, long milliseconds, TimeSpan commandTimeout) => name switch
    {
        "idle_session_timeout" => "The connection that shows that a host lives is idle most of the time, and cutting it makes others give the host up.",
        "statement_timeout" or "transaction_timeout" when milliseconds < commandTimeout.TotalMilliseconds =>
            "It is below the hosts' own limit (CommandTimeout), so commits fail that would have landed.",
        "lock_timeout" when milliseconds < 10_000 => "Commits that wait for another host's fail instead of waiting.",
        _ => null,
    };

    private static async Task<TimeSpan> RoundTripAsync(Examination server, CancellationToken cancellationToken)
    {
        var times = new List<TimeSpan>();
        for (var i = 0; i < RoundTrips; i++)
        {
            var start = TimeProvider.System.GetTimestamp();
            await server.RowAsync("SELECT 1", cancellationToken).ConfigureAwait(false);
            times.Add(TimeProvider.System.GetElapsedTime(start));
        }

        // The quickest: the others waited for something else as well.
        return times.Min();
    }
}
