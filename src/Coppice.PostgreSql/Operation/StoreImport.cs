using System.Globalization;
using Npgsql;
using NpgsqlTypes;

namespace Coppice.PostgreSql;

/// <summary>
/// Takes all that another store holds into an empty schema, in one transaction: until it commits nobody sees any of it, and when it fails nothing is left.
/// </summary>
internal sealed class StoreImport : IAsyncDisposable
{
    private const int Told = 10_000;

    // What sequences belong to columns; the others have the names of what they count.
    private static readonly Dictionary<string, string> Identities = new(StringComparer.Ordinal)
    {
        ["thread_ids"] = "owner_thread_id", ["kinds"] = "n", ["outbox"] = "n", ["failed_messages"] = "n",
    };

    private static readonly string[] Counters = ["foreign_numbers", "revisions", "epochs", "claims", "turns", .. Identities.Keys];

    private readonly NpgsqlConnection _connection;
    private readonly PostgreSqlTaskStoreOptions _options;
    private readonly string _place;

    private StoreImport(NpgsqlConnection connection, PostgreSqlTaskStoreOptions options, string place)
    {
        _connection = connection;
        _options = options;
        _place = place;
    }

    /// <summary>Connects, and makes the schema or brings it forward where the options allow it.</summary>
    /// <param name="connectionString">Where the database is.</param>
    /// <param name="options">Which schema it is.</param>
    /// <param name="isTrial">Whether a schema that is not there is left so.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <exception cref="ArgumentException"><paramref name="connectionString"/> cannot be read, or an option is out of range.</exception>
    /// <exception cref="TaskStoreException">The store cannot be opened; the message says what to do.</exception>
    public static async Task<StoreImport> OpenAsync(
        string connectionString, PostgreSqlTaskStoreOptions options, bool isTrial, CancellationToken cancellationToken)
    {
        options = options.CloneChecked();
        var settings = Database.Parse(connectionString);
        var place = Database.PlaceOf(settings);
        settings.ApplicationName ??= "coppice migrate";
        settings.Pooling = false;
        settings.Multiplexing = false;
        settings.Enlist = false;
        settings.TargetSessionAttributes ??= settings.Host!.Contains(',', StringComparison.Ordinal) ? "primary" : null;

        // A table takes as long as it takes.
        settings.CommandTimeout = 0;
        var connection = new NpgsqlConnection(settings.ConnectionString);
        var import = new StoreImport(connection, options, place);
        try
        {
            await import.GuardAsync(async () =>
            {
                await connection.OpenAsync(cancellationToken).ConfigureAwait(false);
                if (!isTrial || await Migrator.VersionAsync(connection, options.Schema, cancellationToken).ConfigureAwait(false) > 0)
                {
                    await Migrator.RunAsync(
                        connection, Migrations.OfStore, options.Schema, options.Migrate && !isTrial, place, cancellationToken).ConfigureAwait(false);
                }
            }).ConfigureAwait(false);
            return import;
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Says why the schema cannot take a store in.</summary>
    /// <returns>The reason, fit to be shown; <see langword="null"/> when it can, or is not there yet.</returns>
    public async Task<string?> ObjectionAsync(CancellationToken cancellationToken)
    {
        if (await Migrator.VersionAsync(_connection, _options.Schema, cancellationToken).ConfigureAwait(false) == 0)
        {
            return null;
        }

        if (await ScalarAsync(LivingHost, cancellationToken).ConfigureAwait(false) is string host)
        {
            return $"The host '{host}' is at work in the schema {_options.Schema} of {_place}. Stop every host there first.";
        }

        foreach (var table in ImportTable.All)
        {
            if (await ScalarAsync($"SELECT EXISTS (SELECT FROM {{schema}}.{table.Name})", cancellationToken).ConfigureAwait(false) is true)
            {
                return $"The schema {_options.Schema} of {_place} has a store that is not empty ({table.Name}). "
                    + "Ids of two stores cannot be told apart, so name another schema, or drop that one.";
            }
        }

        return null;
    }

    /// <summary>Copies every table, sets the counters, reads everything back and compares it, and commits.</summary>
    /// <param name="rows">The rows of a table, by its name and its columns.</param>
    /// <param name="next">The number that something is to give out next.</param>
    /// <param name="progress">Told of a table and how many of its rows were copied, and once when the rest is read back.</param>
    /// <param name="cancellationToken">Takes everything back.</param>
    /// <returns>The tables, how many rows each has, and the sum by which they were compared.</returns>
    /// <exception cref="TaskStoreException">It failed, and nothing was stored.</exception>
    public async Task<IReadOnlyList<(string Table, long Rows, string Sum)>> RunAsync(
        Func<string, string, IEnumerable<object?[]>> rows, Func<string, long> next, Action<string, long> progress, CancellationToken cancellationToken)
    {
        var sums = new List<(string Table, long Rows, string Sum)>();
        await GuardAsync(async () =>
        {
            var transaction = await _connection.BeginTransactionAsync(
                System.Data.IsolationLevel.ReadCommitted, cancellationToken).ConfigureAwait(false);
            await using (transaction.ConfigureAwait(false))
            {
                await LockAsync(cancellationToken).ConfigureAwait(false);
                if (await ObjectionAsync(cancellationToken).ConfigureAwait(false) is { } objection)
                {
                    throw new TaskStoreException(objection, isTransient: false, code: "store_not_empty");
                }

                foreach (var table in ImportTable.All)
                {
                    var written = await CopyAsync(table, rows(table.Name, table.ColumnList), progress, cancellationToken).ConfigureAwait(false);
                    await CompareAsync(table, written, cancellationToken).ConfigureAwait(false);
                    sums.Add((table.Name, written.Count, written.ToString()));
                }

                await SetCountersAsync(next, cancellationToken).ConfigureAwait(false);
                await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
            }

            // Whoever does not own the tables gets a warning of the server, and autovacuum does it later.
            progress("statistics", 0);
            foreach (var table in ImportTable.All)
            {
                await ExecuteAsync($"ANALYZE {{schema}}.{table.Name}", cancellationToken).ConfigureAwait(false);
            }
        }).ConfigureAwait(false);
        return sums;
    }

    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    private static readonly string LivingHost =
        $$"""
        SELECT h.host_id FROM {schema}.hosts h WHERE h.is_open AND EXISTS (SELECT 1 FROM pg_locks l WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted
            AND ((l.classid::bigint << 32) | l.objid::bigint) = {{SessionLocks.KeySql("host", "h.epoch")}}) ORDER BY h.epoch LIMIT 1
        """;

    // A host that comes now waits with its first commit until this has ended.
    private async Task LockAsync(CancellationToken cancellationToken)
    {
        await ExecuteAsync("SET LOCAL lock_timeout = '10s'", cancellationToken).ConfigureAwait(false);
        await ExecuteAsync("SET LOCAL statement_timeout = 0", cancellationToken).ConfigureAwait(false);
        await ExecuteAsync("SET LOCAL idle_in_transaction_session_timeout = 0", cancellationToken).ConfigureAwait(false);
        await ExecuteAsync("SET LOCAL synchronous_commit = on", cancellationToken).ConfigureAwait(false);
        await ExecuteAsync(
            $"LOCK TABLE {{schema}}.meta, {{schema}}.hosts, {string.Join(", ", ImportTable.All.Select(static table => "{schema}." + table.Name))} IN EXCLUSIVE MODE",
            cancellationToken).ConfigureAwait(false);
    }

    private async Task<RowSum> CopyAsync(ImportTable table, IEnumerable<object?[]> rows, Action<string, long> progress, CancellationToken cancellationToken)
    {
        var sum = new RowSum();
        var copy = await _connection.BeginBinaryImportAsync(
            InSchema($"COPY {{schema}}.{table.Name} ({table.ColumnList}) FROM STDIN (FORMAT binary)"), cancellationToken).ConfigureAwait(false);
        await using (copy.ConfigureAwait(false))
        {
            foreach (var row in rows)
            {
                await copy.StartRowAsync(cancellationToken).ConfigureAwait(false);
                for (var column = 0; column < row.Length; column++)
                {
                    await WriteAsync(copy, row[column], table.Types[column], cancellationToken).ConfigureAwait(false);
                }

                sum.Add(row);
                if (sum.Count % Told == 0)
                {
                    progress(table.Name, sum.Count);
                }
            }

            await copy.CompleteAsync(cancellationToken).ConfigureAwait(false);
        }

        progress(table.Name, sum.Count);
        return sum;
    }

    private static Task WriteAsync(NpgsqlBinaryImporter copy, object? value, NpgsqlDbType type, CancellationToken cancellationToken) =>
        (value, type) switch
    {
        (null, _) => copy.WriteNullAsync(cancellationToken),
        (string text, _) => copy.WriteAsync(text, type, cancellationToken),
        (long number, NpgsqlDbType.Boolean) => copy.WriteAsync(number != 0, type, cancellationToken),
        (long number, NpgsqlDbType.Integer) => copy.WriteAsync(checked((int)number), type, cancellationToken),
        (long number, NpgsqlDbType.Smallint) => copy.WriteAsync(checked((short)number), type, cancellationToken),
        (long number, _) => copy.WriteAsync(number, type, cancellationToken),
        _ => throw new InvalidOperationException($"A {value.GetType().Name} is nothing that a store holds."),
    };

    private async Task CompareAsync(ImportTable table, RowSum written, CancellationToken cancellationToken)
    {
        var found = new RowSum();
        var read = new NpgsqlCommand(InSchema($"SELECT {table.ColumnList} FROM {{schema}}.{table.Name}"), _connection);
        await using (read.ConfigureAwait(false))
        {
            var reader = await read.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                var row = new object?[reader.FieldCount];
                while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                {
                    for (var column = 0; column < row.Length; column++)
                    {
                        row[column] = reader.IsDBNull(column) ? null : reader.GetValue(column);
                    }

                    found.Add(row);
                }
            }
        }

        if (!found.Equals(written))
        {
            throw new TaskStoreException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"What was read back of {table.Name} is not what was written ({found.Count} rows, {written.Count} written). Nothing was stored."),
                isTransient: false, code: "store_corrupt");
        }
    }

    // Sequences are not set back with the transaction; that they are further than they need be does no harm.
    private async Task SetCountersAsync(Func<string, long> next, CancellationToken cancellationToken)
    {
        await ExecuteAsync(
            string.Create(CultureInfo.InvariantCulture, $"UPDATE {{schema}}.meta SET next_task = greatest(next_task, {next("task")})"),
            cancellationToken).ConfigureAwait(false);
        foreach (var counter in Counters)
        {
            var sequence = Identities.TryGetValue(counter, out var column)
                ? $"pg_get_serial_sequence('{{schema}}.{counter}', '{column}')::regclass" : $"'{{schema}}.{counter}'::regclass";
            await ExecuteAsync(
                string.Create(CultureInfo.InvariantCulture, $"SELECT setval({sequence}, greatest(nextval({sequence}), {next(counter)}), false)"),
                cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task GuardAsync(Func<Task> run)
    {
        try
        {
            await run().ConfigureAwait(false);
        }
        catch (NpgsqlException e)
        {
            throw StoreFaults.From(e, _place, notCommitted: true);
        }
    }

    private async Task<object?> ScalarAsync(string sql, CancellationToken cancellationToken)
    {
        var command = new NpgsqlCommand(InSchema(sql), _connection);
        await using (command.ConfigureAwait(false))
        {
            return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task ExecuteAsync(string sql, CancellationToken cancellationToken)
    {
        var command = new NpgsqlCommand(InSchema(sql), _connection);
        await using (command.ConfigureAwait(false))
        {
            await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private string InSchema(string sql) => sql.Replace("{schema}", _options.Schema, StringComparison.Ordinal);
}
