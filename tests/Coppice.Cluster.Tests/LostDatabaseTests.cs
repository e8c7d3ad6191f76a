using System.Diagnostics;
using System.Text.Json;
using Coppice.Testing;
using Npgsql;

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
        // Each has a clock of its own, so that the other's silence is as long as the test says and not as the machine is slow.
        var (clock, otherClock) = (new ManualClock(), new ManualClock());
        await using var one = await Host.StartAsync(_server.ConnectionString, TimeSpan.FromSeconds(10), time: clock);
        await using var other = await Host.StartAsync(_server.Through(_network.Port), TimeSpan.FromSeconds(10), time: otherClock);
        var tasks = new[] { await one.ParkAsync(), await other.ParkAsync() };

        // One of them is back before the other, and sees that nobody has the other's lock any more.
        _network.Cut();
        await _server.RestartAsync(immediately: true);
        await BeatTwiceAsync(clock, host: 0);
        _network.Restore();
        await BeatTwiceAsync(otherClock, host: 1);

        Assert.Equal(2L, await _server.QueryAsync<long>("SELECT count(*) FROM coppice.hosts WHERE is_open"));
        one.Release();
        other.Release();
        Assert.Equal(TaskState.Completed, (await one.Manager.WaitAsync(tasks[0], Stop)).State);
        Assert.Equal(TaskState.Completed, (await other.Manager.WaitAsync(tasks[1], Stop)).State);
    }

    [Fact]
    public async Task A_commit_that_a_crash_of_the_server_took_back_is_made_again_once()
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

        // Nor is it taken for another transaction that has got the number of the lost one.
        var id = await spawn.WaitAsync(Patience, Stop);
        Assert.Equal(TaskState.Running, (await host.Manager.GetAsync(id, Stop))!.State);
        Assert.Equal(1L, await _server.QueryAsync<long>("SELECT count(*) FROM coppice.tasks WHERE type = 'held'"));
    }

    [Fact]
    public async Task Connections_that_ended_while_nobody_used_them_cost_no_call()
    {
        await using var host = await Host.StartAsync(_server.ConnectionString, TimeSpan.FromMinutes(10));
        var ids = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            await _server.QueryAsync<long>("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'coppice'");
            ids.Add(await host.Manager.SpawnAsync("t", static _ => Task.FromResult(TaskOutcome.Cancelled), cancellationToken: Stop));
            Assert.NotNull(await host.Manager.GetAsync(ids[0], Stop));
        }

        Assert.Equal(5, (await host.Manager.ListAsync("t", Stop)).Count);
    }

    [Fact]
    public async Task A_commit_whose_answer_was_lost_is_looked_up_and_its_task_runs()
    {
        await using var host = await Host.StartAsync(_server.Through(_network.Port), TimeSpan.FromMinutes(10));
        await host.Manager.SpawnAsync("t", static _ => Task.FromResult(TaskOutcome.Cancelled), cancellationToken: Stop);
        await HoldCommitsAsync();
        var holder = await HoldAsync();

        var spawn = host.Manager.SpawnAsync("t", static _ => Task.FromResult(TaskOutcome.Success(JsonElement.Parse("7"))), cancellationToken: Stop).AsTask();
        await HeldTransactionAsync();
        _network.Silence();
        await holder.DisposeAsync();
        await _server.ExecuteAsync("ALTER TABLE coppice.tasks DISABLE TRIGGER held");
        _network.Cut();
        _network.Restore();

        var ended = await host.Manager.WaitAsync(await spawn.WaitAsync(Patience, Stop), Stop);
        Assert.Equal(7, ended.Result!.Value.GetInt32());
        Assert.Equal(2L, await _server.QueryAsync<long>("SELECT count(*) FROM coppice.tasks"));
    }

    [Fact]
    public async Task A_thousand_callers_of_a_database_that_is_away_are_told_at_once_and_are_no_storm()
    {
        const int callers = 1_000;
        await using var host = await Host.StartAsync(_server.Through(_network.Port), TimeSpan.FromSeconds(30), readers: 16);
        await host.ParkAsync();
        _network.Cut();
        var before = _network.Attempts;

        var began = Stopwatch.GetTimestamp();
        var calls = Enumerable.Range(0, callers).Select(caller => Task.Run(() => CallAsync(host.Manager, caller), Stop));
        var slowest = (await Task.WhenAll(calls)).Max();
        var length = Stopwatch.GetElapsedTime(began);

        // The connections that there were may each be found dead, and a read whose connection was tries once more; those that tried at the same time as the first
        // fail with it; after that one tries at a time.
        var attempts = _network.Attempts - before;
        var atFirst = (2 * 16) + 4 + 6;
        var later = 10 + (int)(length / TimeSpan.FromSeconds(1) * 2);
        Assert.True(attempts <= atFirst + later, $"{callers} callers made {attempts} attempts within {length.TotalSeconds:0.0} s.");
        Assert.True(slowest < TimeSpan.FromSeconds(15), $"A caller waited {slowest.TotalSeconds:0.0} s.");

        _network.Restore();
        await UntilAsync(async () => await IsThereAsync(host.Manager));
        await host.Manager.SpawnAsync("t", static _ => Task.FromResult(TaskOutcome.Cancelled), cancellationToken: Stop);
    }

    [Fact]
    public async Task Bodies_go_on_while_the_database_is_away_and_what_they_came_to_lands_when_it_is_back()
    {
        await using var host = await Host.StartAsync(_server.Through(_network.Port), TimeSpan.FromSeconds(2));
        var tasks = new List<string>();
        for (var i = 0; i < 20; i++)
        {
            tasks.Add(await host.ParkAsync());
        }

        _network.Cut();
        await _server.StopAsync();
        var refused = await Assert.ThrowsAsync<TaskStoreException>(
            async () => await host.Manager.SpawnAsync("t", static _ => Task.FromResult(TaskOutcome.Cancelled), cancellationToken: Stop));
        host.Release();
        await _server.StartAgainAsync();
        _network.ServerPort = _server.Port;
        _network.Restore();
        await UntilAsync(async () => await IsThereAsync(host.Manager));

        foreach (var task in tasks)
        {
            Assert.Equal(TaskState.Completed, (await host.Manager.WaitAsync(task, Stop).WaitAsync(Patience, Stop)).State);
        }

        Assert.True(refused.IsTransient);
        Assert.Equal("store_unavailable", refused.Code);
        Assert.Equal(1L, await _server.QueryAsync<long>("SELECT max(epoch) FROM coppice.hosts"));
    }

    private static async Task<TimeSpan> CallAsync(BackgroundTaskManager manager, int caller)
    {
        var began = Stopwatch.GetTimestamp();
        var fault = await Assert.ThrowsAsync<TaskStoreException>(async () =>
        {
            if (caller % 2 == 0)
            {
                await manager.SpawnAsync($"t{caller}", static _ => Task.FromResult(TaskOutcome.Cancelled), cancellationToken: Stop);
            }
            else
            {
                await manager.GetAsync("bg_0", Stop);
            }
        });
        Assert.True(fault.IsTransient, fault.ToString());
        Assert.Equal("store_unavailable", fault.Code);
        return Stopwatch.GetElapsedTime(began);
    }

    private static async Task<bool> IsThereAsync(BackgroundTaskManager manager)
    {
        try
        {
            return await manager.GetAsync("bg_0", Stop) is not null;
        }
        catch (TaskStoreException e) when (e.IsTransient)
        {
            return false;
        }
    }

    /// <summary>Has the server stop at each commit of a task until nobody holds the lock that stands for it.</summary>
    private Task HoldCommitsAsync() => _server.ExecuteAsync("""
        CREATE FUNCTION coppice.hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock_shared(42); RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER held AFTER INSERT ON coppice.tasks DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION coppice.hold();
        """);

    private async Task<NpgsqlConnection> HoldAsync()
    {
        var connection = new NpgsqlConnection(_server.ConnectionString + ";Pooling=false");
        await connection.OpenAsync(Stop);
        await using var command = new NpgsqlCommand("SELECT pg_advisory_lock(42)", connection);
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

    /// <summary>Lets a host beat twice. Whoever is silent for three beats of another is given up.</summary>
    private async Task BeatTwiceAsync(ManualClock clock, int host)
    {
        var (before, began) = ((await BeatsAsync())[host], Stopwatch.GetTimestamp());
        for (var beaten = before; beaten < before + 2;)
        {
            clock.Advance(TimeSpan.FromSeconds(2));
            var advanced = Stopwatch.GetTimestamp();

            // A beat that met a connection which had ended with the server was none.
            await UntilAsync(async () => (await BeatsAsync())[host] > beaten || Stopwatch.GetElapsedTime(advanced) > TimeSpan.FromSeconds(1));
            beaten = (await BeatsAsync())[host];
            Assert.True(Stopwatch.GetElapsedTime(began) < Patience, "It does not beat.");
        }
    }

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        for (var began = Stopwatch.GetTimestamp(); !await holds();)
        {
            Assert.True(Stopwatch.GetElapsedTime(began) < Patience, "It did not come to that.");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Stop);
        }
    }
}
