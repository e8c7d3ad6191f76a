using System.Data;
using System.Globalization;
using Npgsql;

namespace Coppice.PostgreSql;

/// <summary>Makes the schema and brings it forward, however many hosts begin to at the same time.</summary>
internal static class Migrator
{
    /// <summary>Sees to it that the schema is of the version that this code writes.</summary>
    /// <param name="connection">An open connection.</param>
    /// <param name="migrations">The steps to that version.</param>
    /// <param name="schema">The schema.</param>
    /// <param name="mayChange">Whether it may be made or brought forward; otherwise an older one is refused.</param>
    /// <param name="place">The database, fit to be shown.</param>
    /// <param name="cancellationToken">Stops waiting; what was begun is rolled back.</param>
    /// <exception cref="TaskStoreException">The schema is newer, or is older or missing and may not be changed.</exception>
    /// <exception cref="NpgsqlException">The database failed or refused it.</exception>
    public static async Task RunAsync(
        NpgsqlConnection connection, Migrations migrations, string schema, bool mayChange, string place, CancellationToken cancellationToken)
    {
        // Looked at first, so that a host whose role may change nothing can start on a schema that is as it should be.
        if (await IsCurrentAsync(connection, migrations, schema, mayChange, place, cancellationToken).ConfigureAwait(false))
        {
            return;
        }

        // What was committed while it waited for the lock is to be seen, whatever the isolation that the role has by default.
        var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken).ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            await ExecuteAsync(connection, Migrations.Lock(schema), cancellationToken).ConfigureAwait(false);
            if (!await IsCurrentAsync(connection, migrations, schema, mayChange, place, cancellationToken).ConfigureAwait(false))
            {
                var version = await VersionAsync(connection, schema, cancellationToken).ConfigureAwait(false);
                foreach (var step in migrations.Body(schema, version))
                {
                    await ExecuteAsync(connection, step, cancellationToken).ConfigureAwait(false);
                }
            }

            await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The version that is there; 0 when there is none.</summary>
    public static async Task<int> VersionAsync(NpgsqlConnection connection, string schema, CancellationToken cancellationToken)
    {
        // By the rows of the catalog: what to_regclass has once not found, it may go on not finding for as long as the transaction lasts.
        var exists = new NpgsqlCommand("SELECT EXISTS (SELECT FROM pg_catalog.pg_tables WHERE schemaname = $1 AND tablename = 'migrations')", connection)
        {
            Parameters = { new() { Value = schema } },
        };
        await using (exists.ConfigureAwait(false))
        {
            if (await exists.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is not true)
            {
                return 0;
            }
        }

        var newest = new NpgsqlCommand($"SELECT coalesce(max(version), 0) FROM {schema}.migrations", connection);
        await using (newest.ConfigureAwait(false))
        {
            return Convert.ToInt32(await newest.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false), CultureInfo.InvariantCulture);
        }
    }

    private static async Task<bool> IsCurrentAsync(
        NpgsqlConnection connection, Migrations migrations, string schema, bool mayChange, string place, CancellationToken cancellationToken)
    {
        var version = await VersionAsync(connection, schema, cancellationToken).ConfigureAwait(false);
        if (version > migrations.Count)
        {
            throw StoreFaults.Newer(place, schema, version, migrations.Count);
        }

        if (version < migrations.Count && !mayChange)
        {
            throw version == 0 ? StoreFaults.Missing(place, schema) : StoreFaults.Older(place, schema, version, migrations.Count);
        }

        return version == migrations.Count;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        // It takes as long as it takes: a time limit would keep a store with many rows from ever being brought forward.
        var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await using (command.ConfigureAwait(false))
        {
            await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }
    }
}
