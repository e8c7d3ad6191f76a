using System.Diagnostics;

namespace Coppice.Cluster.Tests;

/// <summary>What is promised while the database is away, and when it comes back.</summary>
public sealed class LostDatabaseTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private ClusterServer _server = null!;
    private FaultProxy _network = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await ClusterServer.StartAsync();
        _network = new FaultProxy(_server.Port);
    }

    public async ValueTask DisposeAsync()
    {
        await _network.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_restart_of_the_database_ends_no_host_and_orphans_no_task()
    {
        await using var one = await Host.StartAsync(_server.ConnectionString, TimeSpan.FromSeconds(3));
        await using var other = await Host.StartAsync(_server.ConnectionString, TimeSpan.FromSeconds(3));
        var tasks = new[] { await one.ParkAsync(), await other.ParkAsync() };

        await _server.RestartAsync(immediately: true);
        var beats = await BeatsAsync();
        await UntilAsync(async () => (await BeatsAsync()).Zip(beats).All(static pair => pair.First > pair.Second + 3));

        Assert.Equal(2L, await _server.QueryAsync<long>("SELECT count(*) FROM coppice.hosts WHERE is_open"));
        one.Release();
        other.Release();
        Assert.Equal(TaskState.Completed, (await one.Manager.WaitAsync(tasks[0], Stop)).State);
        Assert.Equal(TaskState.Completed, (await other.Manager.WaitAsync(tasks[1], Stop)).State);
    }

    [Fact]
    public async Task A_commit_that_a_crash_of_the_server_took_back_is_not_mistaken_for_another_of_the_same_number()
    {
        // Nothing is to bring the log to the disk before the crash.
        await _server.ExecuteAsync("ALTER SYSTEM SET wal_writer_delay = '10s'");
        await _server.ExecuteAsync("SELECT pg_reload_conf()");
        await using var host = await Host.StartAsync(_server.ConnectionString, TimeSpan.FromMinutes(10));
        await host.Manager.SpawnAsync("t", static _ => Task.FromResult(TaskOutcome.Cancelled), cancellationToken: Stop);
        await HoldCommitsAsync();
        await using var holder = await HoldAsync();

        var spawn = host.Manager.SpawnAsync("t", static context => context.WhenCancelledAsync(), new SpawnOptions { Type = "held" }, Stop).AsTask();
        var transaction = await HeldTransactionAsync();
        await _server.RestartAsync(immediately: true);
        await _server.ExecuteAsync("ALTER TABLE coppice.tasks DISABLE TRIGGER held");
        while (await _server.QueryAsync<long>("SELECT pg_current_xact_id()::text::bigint") <= transaction)
        {
        }

        await Assert.ThrowsAsync<TaskStoreException>(() => spawn.WaitAsync(Patience, Stop));
        Assert.Equal(0L, await _server.QueryAsync<long>("SELECT count(*) FROM coppice.tasks WHERE type = 'held'"));
    }

    /// <summary>Has the server stop at each commit of a task until nobody holds the lock that stands for it.</summary>
    private Task HoldCommitsAsync() => _server.ExecuteAsync("""
        CREATE FUNCTION coppice.hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock_shared(42); RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER held AFTER INSERT ON coppice.tasks DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION coppice.hold();
        """);

    private async Task<Npgsql.NpgsqlConnection> HoldAsync()
    {
        var connection = new Npgsql.NpgsqlConnection(_server.ConnectionString);
        await connection.OpenAsync(Stop);
        await using var command = new Npgsql.NpgsqlCommand("SELECT pg_advisory_lock(42)", connection);
        await command.ExecuteNonQueryAsync(Stop);
        return connection;
    }

    private async Task<long> HeldTransactionAsync()
    {
        var transaction = 0L;
        await UntilAsync(async () => (transaction = await _server.QueryAsync<long>(
            "SELECT coalesce(max(backend_xid::text::bigint), 0) FROM pg_stat_activity WHERE application_name = 'coppice' AND wait_event_type = 'Lock'")) > 0);
        return transaction;
    }

    private async Task<long[]> BeatsAsync() => await _server.QueryAsync<long[]>("SELECT array_agg(beats ORDER BY epoch) FROM coppice.hosts");

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        for (var began = Stopwatch.GetTimestamp(); !await holds();)
        {
            Assert.True(Stopwatch.GetElapsedTime(began) < Patience, "It did not come to that.");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Stop);
        }
    }
}
