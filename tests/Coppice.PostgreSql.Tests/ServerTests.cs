using System.Globalization;
using Coppice.PostgreSql.Tests.Support;
using Npgsql;

namespace Coppice.PostgreSql.Tests;

/// <summary>What the other tests here rely on: the server that they share, and schemas that do not see each other.</summary>
public sealed class ServerTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_server_answers_and_is_no_older_than_what_is_supported()
    {
        var source = await PostgresServer.DataSourceAsync();
        await using var connection = await source.OpenConnectionAsync(Stop);

        Assert.True(connection.PostgreSqlVersion.Major >= 13, $"It is PostgreSQL {connection.PostgreSqlVersion}.");
    }

    [Fact]
    public async Task What_it_acknowledges_is_on_the_disk()
    {
        var source = await PostgresServer.DataSourceAsync();
        await using var command = source.CreateCommand("SELECT current_setting('fsync') || ' ' || current_setting('synchronous_commit')");

        Assert.Equal("on on", await command.ExecuteScalarAsync(Stop));
    }

    [Fact]
    public async Task A_wrong_password_is_refused()
    {
        var wrong = new NpgsqlConnectionStringBuilder(await PostgresServer.ConnectionStringAsync()) { Password = "wrong", Pooling = false };
        await using var connection = new NpgsqlConnection(wrong.ConnectionString);

        var refusal = await Assert.ThrowsAsync<PostgresException>(() => connection.OpenAsync(Stop));

        Assert.Equal(PostgresErrorCodes.InvalidPassword, refusal.SqlState);
    }

    [Fact]
    public async Task Two_schemas_do_not_see_each_other()
    {
        await using var one = await ScratchSchema.CreateAsync();
        await using var other = await ScratchSchema.CreateAsync();
        await one.ExecuteAsync($"CREATE TABLE {one.Name}.tasks (id int); INSERT INTO {one.Name}.tasks VALUES (1)");

        var unknown = await Assert.ThrowsAsync<PostgresException>(() => other.QueryAsync($"SELECT id FROM {other.Name}.tasks"));
        await other.ExecuteAsync($"CREATE TABLE {other.Name}.tasks (id int)");

        Assert.Equal(PostgresErrorCodes.UndefinedTable, unknown.SqlState);
        Assert.Equal(0L, await other.QueryAsync($"SELECT count(*) FROM {other.Name}.tasks"));
        Assert.Equal(1L, await one.QueryAsync($"SELECT count(*) FROM {one.Name}.tasks"));
    }

    [Fact]
    public async Task A_dropped_schema_leaves_nothing()
    {
        var schema = await ScratchSchema.CreateAsync();
        await schema.ExecuteAsync($"""
            CREATE TABLE {schema.Name}.tasks (id bigserial PRIMARY KEY, name text UNIQUE);
            CREATE VIEW {schema.Name}.names AS SELECT name FROM {schema.Name}.tasks;
            CREATE TYPE {schema.Name}.state AS ENUM ('pending', 'running');
            CREATE FUNCTION {schema.Name}.one() RETURNS int LANGUAGE sql AS 'SELECT 1';
            """);
        var inside = $"""
            SELECT (SELECT count(*) FROM pg_class WHERE relnamespace = n.oid) + (SELECT count(*) FROM pg_type WHERE typnamespace = n.oid)
                + (SELECT count(*) FROM pg_proc WHERE pronamespace = n.oid)
            FROM pg_namespace n WHERE n.nspname = '{schema.Name}'
            """;
        var oid = Convert.ToUInt32(await schema.QueryAsync($"SELECT oid FROM pg_namespace WHERE nspname = '{schema.Name}'"), CultureInfo.InvariantCulture);
        Assert.True(Convert.ToInt64(await schema.QueryAsync(inside), CultureInfo.InvariantCulture) > 5);

        await schema.DisposeAsync();

        Assert.Null(await schema.QueryAsync(inside));
        Assert.Equal(0L, await schema.QueryAsync($"""
            SELECT (SELECT count(*) FROM pg_class WHERE relnamespace = {oid}) + (SELECT count(*) FROM pg_type WHERE typnamespace = {oid})
                + (SELECT count(*) FROM pg_proc WHERE pronamespace = {oid})
            """));
    }

    [Fact]
    public async Task A_schema_that_was_never_made_is_dropped_without_complaint()
    {
        var schema = await ScratchSchema.ReserveAsync();

        Assert.Equal(0L, await schema.QueryAsync($"SELECT count(*) FROM pg_namespace WHERE nspname = '{schema.Name}'"));
        await schema.DisposeAsync();
        await schema.DisposeAsync();
    }

    [Fact]
    public async Task Names_of_schemas_are_short_plain_and_all_different()
    {
        var names = new List<string>();
        for (var i = 0; i < 100; i++)
        {
            names.Add((await ScratchSchema.ReserveAsync()).Name);
        }

        Assert.All(names, name => Assert.Matches("^t_[0-9a-f]{16}$", name));
        Assert.Equal(100, names.Distinct().Count());
    }
}
