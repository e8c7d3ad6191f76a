using System.Globalization;
using Npgsql;

namespace Coppice.PostgreSql;

/// <summary>Looks whether hosts can work on a server, and whether what they store there is kept. Nothing is changed by it.</summary>
internal static class StoreDoctor
{
    // Whoever is asked how he is answers soon, or is not well.
    private const int PatienceSeconds = 10;

    // Each over the same connection, in this order; a later one may rely on the schema being there.
    private static readonly Func<Examination, CancellationToken, Task>[] OfServer =
    [
        ServerChecks.VersionAsync, ServerChecks.PrimaryAsync, ServerChecks.DurabilityAsync, ClockCheck.RunAsync, RoomChecks.ConnectionsAsync,
        ServerChecks.SettingsAsync,
    ];

    private static readonly Func<Examination, CancellationToken, Task>[] OfStore =
        [PrivilegeCheck.RunAsync, HostCheck.RunAsync, RoomChecks.VacuumAsync];

    /// <summary>Runs every check that can be run.</summary>
    /// <exception cref="ArgumentException">The connection string cannot be read.</exception>
    public static async Task<IReadOnlyList<StoreCheck>> ExamineAsync(
        string connectionString, PostgreSqlTaskStoreOptions options, CancellationToken cancellationToken)
    {
        var settings = Database.Parse(connectionString);
        var place = Database.PlaceOf(settings);
        settings.ApplicationName ??= "coppice doctor";
        settings.Pooling = false;
        settings.Multiplexing = false;
        settings.Enlist = false;
        settings.Timeout = Math.Min(settings.Timeout, PatienceSeconds);
        settings.CommandTimeout = PatienceSeconds;
        var source = Source(settings);
        await using (source.ConfigureAwait(false))
        {
            return await ExamineAsync(source, place, options, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task<IReadOnlyList<StoreCheck>> ExamineAsync(
        NpgsqlDataSource source, string place, PostgreSqlTaskStoreOptions options, CancellationToken cancellationToken)
    {
        var start = TimeProvider.System.GetTimestamp();
        NpgsqlConnection connection;
        try
        {
            connection = await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (NpgsqlException e)
        {
            return [Failure("connection", e, place)];
        }

        await using (connection.ConfigureAwait(false))
        {
            var examination = new Examination(connection, options);
            try
            {
                await ServerChecks.ConnectionAsync(
                    examination, place, TimeProvider.System.GetElapsedTime(start), cancellationToken).ConfigureAwait(false);
                await PoolerCheck.RunAsync(examination, source, cancellationToken).ConfigureAwait(false);
                foreach (var check in OfServer)
                {
                    await check(examination, cancellationToken).ConfigureAwait(false);
                }

                if (await SchemaCheck.RunAsync(examination, cancellationToken).ConfigureAwait(false))
                {
                    foreach (var check in OfStore)
                    {
                        await check(examination, cancellationToken).ConfigureAwait(false);
                    }
                }

                return examination.Checks;
            }
            catch (NpgsqlException e)
            {
                return [.. examination.Checks, Failure("look", e, place)];
            }
        }
    }

    private static StoreCheck Failure(string name, NpgsqlException error, string place)
    {
        var (found, advice) = StoreFaults.Explain(error);
        return new StoreCheck(name, StoreCheckResult.Failed, string.Create(CultureInfo.InvariantCulture, $"{place}: {found}"), advice);
    }

    // As hosts do: of several servers the one that takes writes.
    private static NpgsqlDataSource Source(NpgsqlConnectionStringBuilder settings)
    {
        if (!settings.Host!.Contains(',', StringComparison.Ordinal))
        {
            return NpgsqlDataSource.Create(settings);
        }

        settings.TargetSessionAttributes = null;
        return new NpgsqlDataSourceBuilder(settings.ConnectionString).BuildMultiHost().WithTargetSession(TargetSessionAttributes.Primary);
    }
}
