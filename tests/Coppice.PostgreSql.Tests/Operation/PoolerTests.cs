using Coppice.PostgreSql.Tests.Support;
using Coppice.StoreContract;
using Npgsql;

namespace Coppice.PostgreSql.Tests.Operation;

/// <summary>Which kinds of pooling a store works with, and how it says so.</summary>
public sealed class PoolerTests : IAsyncLifetime
{
    private ScratchSchema _schema = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private PostgreSqlTaskStoreOptions Options => new() { Schema = _schema.Name };

    public async ValueTask InitializeAsync() => _schema = await ScratchSchema.ReserveAsync();

    public ValueTask DisposeAsync() => _schema.DisposeAsync();

    [Fact]
    public async Task Behind_a_pooler_of_sessions_a_host_works()
    {
        await using var bouncer = await PgBouncer.StartAsync("session");
        await using (var store = await PostgreSqlTaskStore.OpenAsync(bouncer.ConnectionString, Options, Stop).AsTask().Within())
        await using (var manager = await BackgroundTaskManager.StartAsync(store, null, Stop).Within())
        {
            for (var i = 0; i < 10; i++)
            {
                var id = await manager.SpawnAsync("t1", _ => Task.FromResult(TaskOutcome.Success(1)), cancellationToken: Stop).Within();
                Assert.Equal(TaskState.Completed, (await manager.WaitAsync(id, Stop).Within()).State);
            }
        }

        var check = await CheckAsync(bouncer);
        Assert.Equal(StoreCheckResult.Ok, check.Result);
        Assert.Contains("a pooler stands in between", check.Found, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("transaction", 1)]
    [InlineData("transaction", 20)]
    [InlineData("statement", 1)]
    [InlineData("statement", 20)]
    public async Task Behind_a_pooler_that_shares_sessions_no_store_opens(string mode, int poolSize)
    {
        await using var bouncer = await PgBouncer.StartAsync(mode, poolSize);

        var error = await Assert.ThrowsAsync<TaskStoreException>(
            () => PostgreSqlTaskStore.OpenAsync(bouncer.ConnectionString, Options, Stop).AsTask().Within());

        Assert.Equal("store_pooled", error.Code);
        Assert.False(error.IsTransient);
        Assert.Contains("pool_mode = session", error.Message, StringComparison.Ordinal);
        Assert.Equal(0L, await _schema.QueryAsync($"SELECT count(*) FROM pg_namespace WHERE nspname = '{_schema.Name}'"));
        Assert.Equal(StoreCheckResult.Failed, (await CheckAsync(bouncer)).Result);

        // Whoever has the server process next finds it as it was.
        await using var next = new NpgsqlConnection(bouncer.ConnectionString);
        await next.OpenAsync(Stop);
        await using var show = new NpgsqlCommand("SHOW enable_seqscan", next);
        Assert.Equal("on", await show.ExecuteScalarAsync(Stop));
    }

    [Fact]
    public async Task Without_a_pooler_none_is_seen()
    {
        var checks = await PostgreSqlTaskStore.CheckAsync(await PostgresServer.ConnectionStringAsync(), Options, Stop);

        Assert.Equal("no pooler stands in between", Assert.Single(checks, static check => check.Name == "pooler").Found);
    }

    private async Task<StoreCheck> CheckAsync(PgBouncer bouncer) =>
        Assert.Single(await PostgreSqlTaskStore.CheckAsync(bouncer.ConnectionString, Options, Stop), static check => check.Name == "pooler");
}
