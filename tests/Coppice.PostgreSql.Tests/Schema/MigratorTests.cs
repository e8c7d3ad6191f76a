using System.Globalization;
using Coppice.PostgreSql.Tests.Support;
using Coppice.StoreContract;
using Npgsql;

namespace Coppice.PostgreSql.Tests.Schema;

/// <summary>How the tables come about and are brought forward.</summary>
public sealed class MigratorTests : IAsyncLifetime
{
    private static readonly Migrations Two = new("CREATE TABLE {schema}.one (id int);", "CREATE TABLE {schema}.two (id int);");

    private ScratchSchema _schema = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _schema = await ScratchSchema.ReserveAsync();

    public ValueTask DisposeAsync() => _schema.DisposeAsync();

    [Fact]
    public async Task Of_ten_hosts_that_open_a_new_schema_at_once_one_makes_it_and_all_succeed()
    {
        var stores = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => Task.Run(() => OpenAsync(_schema.Name), Stop))).Within();

        Assert.Equal(PostgreSqlSchema.Version, await CountAsync("migrations"));
        Assert.Equal(1, await CountAsync("meta"));
        foreach (var store in stores)
        {
            Assert.Null(await store.GetAsync("bg_0", Stop));
            await store.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_host_that_waited_for_the_maker_sees_what_it_made_whatever_the_isolation_of_its_role()
    {
        await using var making = await _schema.DataSource.OpenConnectionAsync(Stop);
        await using var transaction = await making.BeginTransactionAsync(Stop);
        await RunAsync(making, Migrations.Lock(_schema.Name));
        var strict = new NpgsqlConnectionStringBuilder(await PostgresServer.ConnectionStringAsync())
        {
            ApplicationName = _schema.Name, Options = "-c default_transaction_isolation=serializable",
        };
        await using var waiting = new NpgsqlConnection(strict.ConnectionString);
        await waiting.OpenAsync(Stop);
        var opening = Migrator.RunAsync(waiting, Two, _schema.Name, mayChange: true, "here", Stop);
        while (!Equals(await _schema.QueryAsync(
            $"SELECT count(*) FROM pg_stat_activity WHERE application_name = '{_schema.Name}' AND wait_event = 'advisory'"), 1L))
        {
            Assert.False(opening.IsCompleted);
            Stop.ThrowIfCancellationRequested();
        }

        // Small, for the news of many changes would be pressed upon the one who waits.
        foreach (var step in Two.Body(_schema.Name, 0))
        {
            await RunAsync(making, step);
        }

        await transaction.CommitAsync(Stop);
        await opening.Within();

        Assert.Equal(2, await CountAsync("migrations"));
    }

    [Fact]
    public async Task A_schema_of_a_newer_version_is_refused_and_not_changed()
    {
        await using (await OpenAsync(_schema.Name))
        {
            await _schema.ExecuteAsync($"INSERT INTO {_schema.Name}.migrations (version) VALUES ({PostgreSqlSchema.Version + 1})");
        }

        foreach (var migrate in new[] { true, false })
        {
            var error = await Assert.ThrowsAsync<TaskStoreException>(() => OpenAsync(_schema.Name, migrate));

            Assert.Equal("store_too_new", error.Code);
            Assert.False(error.IsTransient);
            Assert.Contains($"'{_schema.Name}'", error.Message, StringComparison.Ordinal);
        }

        Assert.Equal(PostgreSqlSchema.Version + 1, await CountAsync("migrations"));
    }

    [Fact]
    public async Task A_missing_schema_is_not_found_where_the_host_may_not_make_it()
    {
        var error = await Assert.ThrowsAsync<TaskStoreException>(() => OpenAsync(_schema.Name, migrate: false));

        Assert.Equal("store_not_found", error.Code);
        Assert.Contains("coppice db script", error.Message, StringComparison.Ordinal);
        Assert.Equal(0L, await _schema.QueryAsync($"SELECT count(*) FROM pg_namespace WHERE nspname = '{_schema.Name}'"));
    }

    [Fact]
    public async Task A_schema_without_tables_is_not_found_either_and_is_filled_by_a_host_that_may()
    {
        await _schema.ExecuteAsync($"CREATE SCHEMA {_schema.Name}");

        var error = await Assert.ThrowsAsync<TaskStoreException>(() => OpenAsync(_schema.Name, migrate: false));
        await using var store = await OpenAsync(_schema.Name);

        Assert.Equal("store_not_found", error.Code);
        Assert.Equal(PostgreSqlSchema.Version, await CountAsync("migrations"));
    }

    [Fact]
    public async Task An_older_schema_is_too_old_where_the_host_may_not_change_it_and_is_brought_forward_where_it_may()
    {
        await MigrateAsync(new Migrations("CREATE TABLE {schema}.one (id int);"));

        var error = await Assert.ThrowsAsync<TaskStoreException>(() => MigrateAsync(Two, mayChange: false));

        Assert.Equal("store_too_old", error.Code);
        Assert.Contains("--from 1", error.Message, StringComparison.Ordinal);
        Assert.Equal(["migrations", "one"], await TablesAsync());
        await MigrateAsync(Two);
        Assert.Equal(["migrations", "one", "two"], await TablesAsync());
        Assert.Equal(2, await CountAsync("migrations"));
    }

    [Fact]
    public async Task A_step_that_fails_leaves_the_version_before_as_it_was()
    {
        await MigrateAsync(new Migrations("CREATE TABLE {schema}.one (id int);"));
        var broken = new Migrations("CREATE TABLE {schema}.one (id int);", "CREATE TABLE {schema}.two (id int);", "SELECT 1 / 0;");

        await Assert.ThrowsAsync<PostgresException>(() => MigrateAsync(broken));

        Assert.Equal(["migrations", "one"], await TablesAsync());
        Assert.Equal(1, await CountAsync("migrations"));
    }

    [Fact]
    public async Task A_migration_that_fails_leaves_nothing_behind()
    {
        await _schema.ExecuteAsync($"CREATE SCHEMA {_schema.Name}; CREATE TABLE {_schema.Name}.failed_messages (mine int)");

        var error = await Assert.ThrowsAsync<TaskStoreException>(() => OpenAsync(_schema.Name));

        Assert.Equal("store_not_openable", error.Code);
        Assert.False(error.IsTransient);
        Assert.Equal(["failed_messages"], await TablesAsync());
        Assert.Equal("", await CatalogAsync(_schema.Name, "sequences"));
        await _schema.ExecuteAsync($"DROP TABLE {_schema.Name}.failed_messages");
        await using var store = await OpenAsync(_schema.Name);
        Assert.Equal(PostgreSqlSchema.Version, await CountAsync("migrations"));
    }

    [Fact]
    public async Task The_script_makes_what_a_host_makes()
    {
        await using var byHand = await ScratchSchema.ReserveAsync();
        await using (await OpenAsync(_schema.Name))
        {
            await byHand.ExecuteAsync(PostgreSqlSchema.CreateScript(byHand.Name));
        }

        foreach (var part in new[] { "columns", "indexes", "sequences", "constraints", "storage" })
        {
            var made = await CatalogAsync(_schema.Name, part);
            Assert.NotEmpty(made);
            Assert.Equal(made, await CatalogAsync(byHand.Name, part));
        }

        Assert.Equal(PostgreSqlSchema.Version, Convert.ToInt32(await byHand.QueryAsync($"SELECT max(version) FROM {byHand.Name}.migrations"), CultureInfo.InvariantCulture));
        await using var store = await OpenAsync(byHand.Name, migrate: false);
        Assert.Null(await store.GetAsync("bg_0", Stop));
    }

    [Fact]
    public async Task The_script_fails_where_there_is_a_store_and_changes_nothing()
    {
        await using (await OpenAsync(_schema.Name))
        {
        }

        var before = await WholeCatalogAsync(_schema.Name);

        var error = await Assert.ThrowsAsync<PostgresException>(() => _schema.ExecuteAsync(PostgreSqlSchema.CreateScript(_schema.Name)));

        Assert.Contains("has a store already", error.MessageText, StringComparison.Ordinal);
        Assert.Equal(before, await WholeCatalogAsync(_schema.Name));
        Assert.Equal(PostgreSqlSchema.Version, await CountAsync("migrations"));
    }

    [Fact]
    public async Task The_script_from_a_version_fails_on_any_other_and_changes_nothing()
    {
        var one = new Migrations("CREATE TABLE {schema}.one (id int);");
        await _schema.ExecuteAsync(one.Script(_schema.Name, 0));
        var three = new Migrations("", "CREATE TABLE {schema}.two (id int);", "CREATE TABLE {schema}.three (id int);");

        var error = await Assert.ThrowsAsync<PostgresException>(() => _schema.ExecuteAsync(three.Script(_schema.Name, 2)));

        Assert.Contains("is not of version 2", error.MessageText, StringComparison.Ordinal);
        Assert.Equal(["migrations", "one"], await TablesAsync());
        await _schema.ExecuteAsync(three.Script(_schema.Name, 1));
        Assert.Equal(["migrations", "one", "three", "two"], await TablesAsync());
        Assert.Equal(3, await CountAsync("migrations"));
    }

    [Fact]
    public async Task The_script_from_the_version_that_is_there_changes_nothing()
    {
        await _schema.ExecuteAsync(PostgreSqlSchema.CreateScript(_schema.Name));
        var before = await WholeCatalogAsync(_schema.Name);

        await _schema.ExecuteAsync(PostgreSqlSchema.CreateScript(_schema.Name, PostgreSqlSchema.Version));

        Assert.Equal(before, await WholeCatalogAsync(_schema.Name));
    }

    private PostgreSqlTaskStoreOptions Options(string? schema = null, bool migrate = true) => new() { Schema = schema ?? _schema.Name, Migrate = migrate };

    private async Task<PostgreSqlTaskStore> OpenAsync(string schema, bool migrate = true) =>
        await PostgreSqlTaskStore.OpenAsync(await PostgresServer.ConnectionStringAsync(), Options(schema, migrate), Stop).Within();

    private async Task MigrateAsync(Migrations migrations, bool mayChange = true)
    {
        await using var connection = await _schema.DataSource.OpenConnectionAsync(Stop);
        await Migrator.RunAsync(connection, migrations, _schema.Name, mayChange, "here", Stop);
    }

    private async Task<int> CountAsync(string table) =>
        Convert.ToInt32(await _schema.QueryAsync($"SELECT count(*) FROM {_schema.Name}.{table}"), CultureInfo.InvariantCulture);

    private async Task<string[]> TablesAsync() => (string[])(await _schema.QueryAsync(
        $"SELECT coalesce(array_agg(tablename::text ORDER BY tablename), ARRAY[]::text[]) FROM pg_tables WHERE schemaname = '{_schema.Name}'"))!;

    private async Task<string> WholeCatalogAsync(string schema) =>
        await CatalogAsync(schema, "columns") + await CatalogAsync(schema, "indexes") + await CatalogAsync(schema, "sequences")
        + await CatalogAsync(schema, "constraints") + await CatalogAsync(schema, "storage");

    /// <summary>What the server knows of a schema, as a text without the schema's name.</summary>
    private async Task<string> CatalogAsync(string schema, string part)
    {
        var lines = part switch
        {
            "columns" => $"""
                SELECT concat_ws(' ', c.relname, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated,
                    a.attcollation::regcollation, pg_get_expr(d.adbin, d.adrelid)) AS line
                FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
                WHERE c.relnamespace = '{schema}'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
                """,
            "indexes" => $"SELECT concat_ws(' ', indexrelid::regclass, pg_get_indexdef(indexrelid), indisunique) AS line FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE c.relnamespace = '{schema}'::regnamespace",
            "sequences" => $"SELECT concat_ws(' ', sequencename, data_type, start_value, min_value, max_value, increment_by, cycle, cache_size) AS line FROM pg_sequences WHERE schemaname = '{schema}'",
            "constraints" => $"SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid)) AS line FROM pg_constraint WHERE connamespace = '{schema}'::regnamespace",
            _ => $"SELECT concat_ws(' ', relname, relkind, relpersistence, reloptions, relacl) AS line FROM pg_class WHERE relnamespace = '{schema}'::regnamespace",
        };
        var text = (string?)await _schema.QueryAsync($"SELECT coalesce(string_agg(line, E'\n' ORDER BY line COLLATE \"C\"), '') FROM ({lines}) AS lines");
        return text!.Replace(schema, "{schema}", StringComparison.Ordinal);
    }

    private static async Task RunAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Stop);
    }
}
