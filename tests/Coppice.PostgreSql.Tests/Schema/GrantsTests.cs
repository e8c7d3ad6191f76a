using Coppice.PostgreSql.Tests.Support;
using Coppice.StoreContract;
using Npgsql;

namespace Coppice.PostgreSql.Tests.Schema;

/// <summary>What a role can do that was given what <see cref="PostgreSqlSchema.CreateGrants"/> says, and what it cannot.</summary>
public sealed class GrantsTests : IAsyncLifetime
{
    private ScratchSchema _schema = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _schema = await ScratchSchema.ReserveAsync();
        await _schema.ExecuteAsync(PostgreSqlSchema.CreateScript(_schema.Name));
    }

    public ValueTask DisposeAsync() => _schema.DisposeAsync();

    [Fact]
    public async Task It_can_run_a_host_on_a_schema_that_is_as_it_should_be()
    {
        await using var role = await GrantedAsync();
        await using var store = await OpenAsync(role);
        await using var manager = await BackgroundTaskManager.StartAsync(store, null, Stop).Within();

        var id = await manager.SpawnAsync("t1", _ => Task.FromResult(TaskOutcome.Success(42)), cancellationToken: Stop).Within();
        await manager.WaitAsync(id, Stop).Within();

        var task = await manager.GetAsync(id, Stop).Within();
        Assert.Equal(TaskState.Completed, task?.State);
        Assert.Equal(42, task?.Result?.GetInt32());
        Assert.Single(await manager.ListAsync(new TaskQuery { OwnerThreadId = "t1" }, null, 10, Stop).Within());
        await using var inbox = await manager.OpenInboxAsync("t1", cancellationToken: Stop).Within();
        Assert.Equal(1L, await _schema.QueryAsync($"SELECT count(*) FROM {_schema.Name}.mail"));
    }

    [Fact]
    public async Task It_can_do_nothing_to_the_tables_themselves()
    {
        await using var role = await GrantedAsync();
        await using var source = NpgsqlDataSource.Create(await role.ConnectionStringAsync());
        string[] forbidden =
        [
            "CREATE TABLE {schema}.mine (id int)",
            "CREATE SEQUENCE {schema}.mine",
            "CREATE FUNCTION {schema}.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "CREATE INDEX mine ON {schema}.tasks (state)",
            "ALTER TABLE {schema}.tasks ADD COLUMN mine int",
            "ALTER SEQUENCE {schema}.epochs RESTART",
            "ALTER SCHEMA {schema} RENAME TO mine",
            "CREATE TRIGGER mine BEFORE INSERT ON {schema}.tasks EXECUTE FUNCTION suppress_redundant_updates_trigger()",
            "TRUNCATE {schema}.tasks",
            "DROP TABLE {schema}.tasks",
            "DROP INDEX {schema}.tasks_by_time",
            "DROP SEQUENCE {schema}.epochs",
            "DROP SCHEMA {schema} CASCADE",
            "INSERT INTO {schema}.migrations (version) VALUES (99)",
            "UPDATE {schema}.migrations SET version = 99",
            "DELETE FROM {schema}.migrations",
            "GRANT SELECT ON {schema}.tasks TO public",
        ];
        foreach (var sql in forbidden)
        {
            await using var command = source.CreateCommand(sql.Replace("{schema}", _schema.Name, StringComparison.Ordinal));

            // A grant without the right to is a warning only, where something else was granted.
            if (sql.StartsWith("GRANT", StringComparison.Ordinal))
            {
                await Record.ExceptionAsync(() => command.ExecuteNonQueryAsync(Stop));
                Assert.Equal(false, await _schema.QueryAsync($"SELECT coalesce(relacl::text, '') ~ '[{{,]=' FROM pg_class WHERE oid = '{_schema.Name}.tasks'::regclass"));
                continue;
            }

            var refusal = await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync(Stop));
            Assert.True(refusal.SqlState == PostgresErrorCodes.InsufficientPrivilege, $"{sql}: {refusal.Message}");
        }
    }

    [Fact]
    public async Task It_is_told_what_it_lacks_where_the_schema_is_missing()
    {
        await using var role = await GrantedAsync();

        var error = await Assert.ThrowsAsync<TaskStoreException>(
            async () => await PostgreSqlTaskStore.OpenAsync(await role.ConnectionStringAsync(), new() { Schema = _schema.Name + "_none" }, Stop));

        Assert.Equal("store_not_writable", error.Code);
        Assert.Contains("coppice db script --grant", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_the_grants_a_role_is_told_what_it_lacks()
    {
        await using var role = await ScratchRole.CreateAsync();

        var error = await Assert.ThrowsAsync<TaskStoreException>(() => OpenAsync(role));

        Assert.Equal("store_not_writable", error.Code);
        Assert.False(error.IsTransient);
    }

    [Theory]
    [InlineData("Upper Case ")]
    [InlineData("\"; DROP SCHEMA public CASCADE; --")]
    [InlineData("';--$$")]
    [InlineData("ü\U0001F600")]
    [InlineData("\\")]
    public async Task The_name_of_a_role_is_quoted_right(string prefix)
    {
        await using var role = await ScratchRole.CreateAsync(prefix);
        await _schema.ExecuteAsync(PostgreSqlSchema.CreateGrants(role.Name, _schema.Name));

        await using var store = await OpenAsync(role);

        Assert.Null(await store.GetAsync("bg_0", Stop));
    }

    private async Task<ScratchRole> GrantedAsync()
    {
        var role = await ScratchRole.CreateAsync();
        await _schema.ExecuteAsync(PostgreSqlSchema.CreateGrants(role.Name, _schema.Name));
        return role;
    }

    private async Task<PostgreSqlTaskStore> OpenAsync(ScratchRole role) =>
        await PostgreSqlTaskStore.OpenAsync(await role.ConnectionStringAsync(), new() { Schema = _schema.Name }, Stop).Within();
}
