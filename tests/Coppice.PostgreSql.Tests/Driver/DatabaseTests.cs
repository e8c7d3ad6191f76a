using Coppice.PostgreSql.Tests.Support;
using Coppice.StoreContract;
using Npgsql;

namespace Coppice.PostgreSql.Tests.Driver;

/// <summary>The connections of a store and what they are set to.</summary>
public sealed class DatabaseTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_reader_keeps_its_settings_from_one_use_to_the_next()
    {
        await using var database = new Database(await PostgresServer.ConnectionStringAsync(), new() { ReaderConnections = 1 });

        for (var use = 0; use < 3; use++)
        {
            Assert.Equal("8s off off", await ReadAsync(database));
        }
    }

    [Fact]
    public async Task A_writer_has_its_settings_also_on_a_connection_that_was_used_before()
    {
        await using var database = new Database(await PostgresServer.ConnectionStringAsync(), new());
        await using (await database.OpenAsync(Stop))
        {
        }

        await using var connection = database.Open();
        await using var command = new NpgsqlCommand("SELECT current_setting('idle_in_transaction_session_timeout')", connection);

        Assert.Equal("8s", await command.ExecuteScalarAsync(Stop));
    }

    [Fact]
    public async Task When_all_that_read_are_in_use_for_too_long_the_store_is_busy()
    {
        await using var schema = await ScratchSchema.ReserveAsync();
        await using var store = await PostgreSqlTaskStore.OpenAsync(
            $"{await PostgresServer.ConnectionStringAsync()};Timeout=1", new() { Schema = schema.Name, ReaderConnections = 1 }, Stop).Within();
        await using var connection = await schema.DataSource.OpenConnectionAsync(Stop);
        await using var transaction = await connection.BeginTransactionAsync(Stop);
        await using (var keep = new NpgsqlCommand($"LOCK TABLE {schema.Name}.tasks", connection, transaction))
        {
            await keep.ExecuteNonQueryAsync(Stop);
        }

        var first = store.GetAsync("bg_1", Stop).AsTask();
        var second = store.GetAsync("bg_1", Stop).AsTask();
        var refused = await Assert.ThrowsAsync<TaskStoreException>(async () => await (await Task.WhenAny(first, second)).Within());
        await transaction.RollbackAsync(Stop);

        Assert.Equal("store_busy", refused.Code);
        Assert.True(refused.IsTransient);
        await Task.WhenAll(first.ContinueWith(static _ => { }, TaskScheduler.Default), second.ContinueWith(static _ => { }, TaskScheduler.Default)).Within();
    }

    [Theory]
    [InlineData("Multiplexing=true")]
    [InlineData("Pooling=false")]
    [InlineData("No Reset On Close=false")]
    [InlineData("Minimum Pool Size=100")]
    [InlineData("Enlist=true")]
    public async Task What_the_driver_may_be_set_to_otherwise_does_not_break_the_store(string setting)
    {
        await using var schema = await ScratchSchema.ReserveAsync();

        await using var store = await PostgreSqlTaskStore.OpenAsync(
            $"{await PostgresServer.ConnectionStringAsync()};{setting}", new() { Schema = schema.Name }, Stop).Within();
        await using var manager = await BackgroundTaskManager.StartAsync(store, null, Stop).Within();
        var id = await manager.SpawnAsync("t1", _ => Task.FromResult(TaskOutcome.Success(1)), cancellationToken: Stop).Within();

        Assert.Equal(TaskState.Completed, (await manager.WaitAsync(id, Stop).Within()).State);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Target Session Attributes=primary")]
    [InlineData("Target Session Attributes=any")]
    public async Task Of_several_servers_the_one_that_takes_writes_is_used(string setting)
    {
        var settings = new NpgsqlConnectionStringBuilder(await PostgresServer.ConnectionStringAsync());
        settings.Host = $"127.0.0.1:1,{settings.Host}:{settings.Port}";
        await using var schema = await ScratchSchema.ReserveAsync();

        await using var store = await PostgreSqlTaskStore.OpenAsync($"{settings.ConnectionString};{setting}", new() { Schema = schema.Name }, Stop).Within();

        Assert.Null(await store.GetAsync("bg_0", Stop));
    }

    private static async Task<string?> ReadAsync(Database database)
    {
        await using var connection = await database.OpenReaderAsync(Stop);
        await using var command = database.CreateCommand(
            connection, "SELECT concat_ws(' ', current_setting('idle_in_transaction_session_timeout'), current_setting('enable_seqscan'), current_setting('jit'))", []);
        return (string?)await command.ExecuteScalarAsync(Stop);
    }
}
