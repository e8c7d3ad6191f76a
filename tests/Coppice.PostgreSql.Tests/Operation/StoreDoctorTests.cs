using Coppice.PostgreSql.Tests.Support;
using Coppice.StoreContract;
using Npgsql;

namespace Coppice.PostgreSql.Tests.Operation;

/// <summary>What <see cref="PostgreSqlTaskStore.CheckAsync"/> finds.</summary>
public sealed class StoreDoctorTests : IAsyncLifetime
{
    private ScratchSchema _schema = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private PostgreSqlTaskStoreOptions Options => new() { Schema = _schema.Name };

    public async ValueTask InitializeAsync() => _schema = await ScratchSchema.ReserveAsync();

    public ValueTask DisposeAsync() => _schema.DisposeAsync();

    [Fact]
    public async Task A_server_without_a_store_is_well_but_for_that()
    {
        var checks = await CheckAsync();

        Assert.Equal(
            ["connection", "pooler", "server", "primary", "durability", "clock", "connections", "settings", "schema"], checks.Select(static check => check.Name));
        Assert.All(checks.Where(IsNotOfTime), static check => Assert.Equal(check.Name == "schema" ? StoreCheckResult.Warning : StoreCheckResult.Ok, check.Result));
        Assert.Equal(0L, await _schema.QueryAsync($"SELECT count(*) FROM pg_namespace WHERE nspname = '{_schema.Name}'"));
    }

    [Fact]
    public async Task A_store_with_a_host_at_work_is_well()
    {
        await using var store = await PostgreSqlTaskStore.OpenAsync(await PostgresServer.ConnectionStringAsync(), Options, Stop);
        await using var manager = await BackgroundTaskManager.StartAsync(store, new() { HostTimeout = TimeSpan.FromSeconds(1) }, Stop).Within();
        var parked = await manager.SpawnAsync(
            "t1", static async task => { await task.WhenCancelledAsync(); return TaskOutcome.Cancelled; }, cancellationToken: Stop).Within();

        var checks = await CheckAsync();

        Assert.All(checks.Where(IsNotOfTime), static check => Assert.True(check.Result == StoreCheckResult.Ok, $"{check.Name}: {check.Found} {check.Advice}"));
        Assert.Contains("1 host lives: host 1 (", Found(checks, "hosts"), StringComparison.Ordinal);
        Assert.Contains("with 1 task", Found(checks, "hosts"), StringComparison.Ordinal);
        Assert.True(await manager.CancelAsync(parked, Stop));
    }

    [Fact]
    public async Task A_host_that_is_gone_with_a_task_is_named()
    {
        await MakeAsync();
        await _schema.ExecuteAsync($"""
            INSERT INTO {_schema.Name}.hosts (epoch, host_id, process, server, joined_ms) VALUES (7, 'web-3', 1, {SessionLocks.ServerSql}, 0);
            INSERT INTO {_schema.Name}.branches (owner_thread_id, n, host_epoch) VALUES (1, 0, 7);
            """);

        var check = Only(await CheckAsync(), "hosts");

        Assert.Equal(StoreCheckResult.Warning, check.Result);
        Assert.Equal("host 7 (web-3) is gone with 1 task not settled", check.Found);
        Assert.Contains("start one", check.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_host_whose_process_lives_and_does_not_beat_is_named()
    {
        await MakeAsync();
        await using var holder = await _schema.DataSource.OpenConnectionAsync(Stop);
        var key = SessionLocks.KeySql("host", "'7'").Replace("{schema}", _schema.Name, StringComparison.Ordinal);
        await using (var take = new NpgsqlCommand($"SELECT pg_advisory_lock_shared({key})", holder))
        {
            await take.ExecuteNonQueryAsync(Stop);
        }

        await _schema.ExecuteAsync($"INSERT INTO {_schema.Name}.hosts (epoch, host_id, process, server, joined_ms) VALUES (7, 'web-3', 1, {SessionLocks.ServerSql}, 0)");

        var check = Only(await CheckAsync(), "hosts");

        Assert.Equal(StoreCheckResult.Warning, check.Result);
        Assert.StartsWith("host 7 (web-3) has a process that has not beaten for", check.Found, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_role_may_run_hosts_with_what_is_granted_and_with_nothing_less()
    {
        await MakeAsync();
        await using var role = await ScratchRole.CreateAsync();
        await _schema.ExecuteAsync(PostgreSqlSchema.CreateGrants(role.Name, _schema.Name));
        var connection = await role.ConnectionStringAsync();
        Assert.Equal(
            "this role may run hosts, and may change no table",
            Found(await PostgreSqlTaskStore.CheckAsync(connection, Options, Stop), "privileges"));

        foreach (var (right, on) in new[] { ("DELETE", "steps"), ("UPDATE", "hosts"), ("INSERT", "mail"), ("SELECT", "kinds"), ("USAGE", "SEQUENCE claims"), ("UPDATE", "SEQUENCE turns") })
        {
            var target = on.Replace("SEQUENCE ", $"SEQUENCE {_schema.Name}.", StringComparison.Ordinal);
            target = target.Contains('.', StringComparison.Ordinal) ? target : $"{_schema.Name}.{target}";
            await _schema.ExecuteAsync($"REVOKE {right} ON {target} FROM {role.Name}");

            var check = Only(await PostgreSqlTaskStore.CheckAsync(connection, Options, Stop), "privileges");

            Assert.Equal(StoreCheckResult.Failed, check.Result);
            Assert.Equal($"this role lacks {right} on {on.Replace("SEQUENCE ", "", StringComparison.Ordinal)}", check.Found);
            Assert.Contains($"coppice db script --schema {_schema.Name} --grant", check.Advice, StringComparison.Ordinal);
            await _schema.ExecuteAsync(PostgreSqlSchema.CreateGrants(role.Name, _schema.Name));
        }
    }

    [Fact]
    public async Task A_role_that_may_not_look_or_make_is_told_so()
    {
        await using var role = await ScratchRole.CreateAsync();
        var connection = await role.ConnectionStringAsync();
        var database = new NpgsqlConnectionStringBuilder(connection).Database;
        Assert.Contains(
            "may not make one", Found(await PostgreSqlTaskStore.CheckAsync(connection, Options, Stop), "schema"), StringComparison.Ordinal);

        await MakeAsync();
        var check = (await PostgreSqlTaskStore.CheckAsync(connection, Options, Stop))[^1];

        Assert.Equal(("schema", StoreCheckResult.Failed), (check.Name, check.Result));
        Assert.Contains("may not look into", check.Found, StringComparison.Ordinal);
        Assert.NotNull(database);
    }

    [Theory]
    [InlineData("lock_timeout = '1s'", "settings", StoreCheckResult.Warning, "lock_timeout is 1000 ms")]
    [InlineData("statement_timeout = '2s'", "settings", StoreCheckResult.Warning, "statement_timeout is 2000 ms")]
    [InlineData("statement_timeout = '2min'", "settings", StoreCheckResult.Ok, "no time limit")]
    [InlineData("default_transaction_read_only = on", "primary", StoreCheckResult.Failed, "read-only")]
    public async Task What_is_set_for_the_role_is_seen(string setting, string name, StoreCheckResult result, string found)
    {
        await using var role = await ScratchRole.CreateAsync();
        await _schema.ExecuteAsync($"ALTER ROLE {role.Name} SET {setting}");

        var check = Only(await PostgreSqlTaskStore.CheckAsync(await role.ConnectionStringAsync(), Options, Stop), name);

        Assert.Equal(result, check.Result);
        Assert.Contains(found, check.Found, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_limit_of_connections_that_no_host_fits_in_is_seen()
    {
        await using var role = await ScratchRole.CreateAsync();
        await _schema.ExecuteAsync($"ALTER ROLE {role.Name} CONNECTION LIMIT 10");

        var check = Only(await PostgreSqlTaskStore.CheckAsync(await role.ConnectionStringAsync(), Options, Stop), "connections");

        Assert.Equal(StoreCheckResult.Warning, check.Result);
        Assert.Contains("of 10 connections", check.Found, StringComparison.Ordinal);
        Assert.Contains("room for 0 more", check.Found, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_schema_of_a_newer_version_is_left_alone()
    {
        await MakeAsync();
        await _schema.ExecuteAsync($"INSERT INTO {_schema.Name}.migrations (version) VALUES (999)");

        var check = (await CheckAsync())[^1];

        Assert.Equal(("schema", StoreCheckResult.Failed), (check.Name, check.Result));
        Assert.Contains("version 999", check.Found, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_table_that_nobody_tidies_is_named()
    {
        await MakeAsync();
        await _schema.ExecuteAsync($"ALTER TABLE {_schema.Name}.tasks SET (autovacuum_enabled = false)");

        var check = Only(await CheckAsync(), "vacuum");

        Assert.Equal(StoreCheckResult.Warning, check.Result);
        Assert.Contains("autovacuum is off for tasks", check.Found, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_cannot_be_reached_is_said_and_no_password_with_it()
    {
        var wrong = new NpgsqlConnectionStringBuilder(await PostgresServer.ConnectionStringAsync()) { Password = "s3cret-and-wrong" };
        var refused = Assert.Single(await PostgreSqlTaskStore.CheckAsync(wrong.ConnectionString, Options, Stop));
        var absent = Assert.Single(
            await PostgreSqlTaskStore.CheckAsync("Host=127.0.0.1;Port=1;Username=u;Password=s3cret-and-wrong;Timeout=5", Options, Stop));

        Assert.All(new[] { refused, absent }, static check =>
        {
            Assert.Equal(("connection", StoreCheckResult.Failed), (check.Name, check.Result));
            Assert.NotNull(check.Advice);
            Assert.DoesNotContain("s3cret", check.ToString(), StringComparison.Ordinal);
        });
        Assert.Contains("28P01", refused.Found, StringComparison.Ordinal);
        Assert.Contains("127.0.0.1:1/", absent.Found, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArgumentException>(() => PostgreSqlTaskStore.CheckAsync("Host", Options, Stop).AsTask());
    }

    // How long a round trip takes is this machine's affair at this moment.
    private static bool IsNotOfTime(StoreCheck check) => check.Name != "connection";

    private static StoreCheck Only(IReadOnlyList<StoreCheck> checks, string name) => Assert.Single(checks, check => check.Name == name);

    private static string Found(IReadOnlyList<StoreCheck> checks, string name) => Only(checks, name).Found;

    private async Task<IReadOnlyList<StoreCheck>> CheckAsync() =>
        await PostgreSqlTaskStore.CheckAsync(await PostgresServer.ConnectionStringAsync(), Options, Stop);

    private Task MakeAsync() => _schema.ExecuteAsync(PostgreSqlSchema.CreateScript(_schema.Name));
}
