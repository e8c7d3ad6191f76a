using System.Collections.Concurrent;

namespace Coppice.StoreContract;

/// <summary>Law 9: orphans, and hosts that are given up for dead.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class Law09OrphansContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    private const string Orphaned = "task orphaned: runtime restarted while running";

    [Fact]
    public async Task No_two_hosts_join_under_the_same_batch_id_by_which_one_would_be_taken_for_the_other()
    {
        var ids = new ConcurrentBag<BatchId>();
        var store = new FaultyStore(Store)
        {
            Always = batch =>
            {
                ids.Add(batch.Id);
                return FaultMoment.Never;
            },
        };

        await StartAsync(store: store);
        await StartAsync(store: store);

        Assert.Equal(2, ids.Count);
        Assert.Equal(2, ids.Distinct().Count());
    }

    [Fact]
    public async Task A_task_whose_process_ended_is_finished_once_as_failed_with_its_event()
    {
        var first = await StartAsync(static options =>
        {
            options.TimeProvider = new ManualClock();
            options.HostTimeout = Cluster.HostTimeout;
            options.ShutdownGracePeriod = TimeSpan.Zero;
        });
        var stuck = new Signal();
        var running = await first.SpawnAsync("t1", Bodies.Only(stuck), new SpawnOptions { Name = "worker" }, Stop).Within();
        var ended = await first.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within();
        var before = await first.WaitAsync(ended, Stop).Within();
        await ReopenAsync();

        var (second, _) = await OutliveAsync(running);

        var orphan = (await second.GetAsync(running, Stop))!;
        Assert.Equal((TaskState.Failed, Orphaned, null), (orphan.State, orphan.Error, orphan.CancelRequestedAt));
        Assert.NotNull(orphan.CompletedAt);
        Assert.Equal(before, await second.GetAsync(ended, Stop));
        Assert.False(await second.HasRunningAsync("t1", Stop));
        await second.SpawnAsync("t1", Bodies.Park, new SpawnOptions { Name = "worker" }, Stop).Within();
        await Assert_one_end(second, running, new TaskFailed(running, Orphaned));
    }

    [Fact]
    public async Task A_host_that_was_given_up_for_dead_changes_nothing_when_it_wakes_and_cancels_its_bodies()
    {
        Assert.SkipUnless(Fixture.HostsWatchEachOther, "Hosts of this store do not watch each other.");
        var sleeping = new ManualClock();
        var sleepersStore = new FaultyStore(Store);
        var sleeper = await StartAsync(options => Asleep(options, sleeping), sleepersStore);
        var finish = new Signal();
        var cancelled = new Signal();
        var ignoring = await sleeper.SpawnAsync("t1", async context =>
        {
            await finish.Task;
            context.Emit("progress", 1);
            return TaskOutcome.Success("woke");
        }, cancellationToken: Stop).Within();
        var listening = await sleeper.SpawnAsync("t1", async context =>
        {
            await context.WhenCancelledAsync();
            cancelled.Set();
            return TaskOutcome.Success("woke");
        }, cancellationToken: Stop).Within();

        var (second, _) = await OutliveAsync(ignoring);
        await second.WaitAsync(listening, Stop).Within();
        var orphans = new[] { await second.GetAsync(ignoring, Stop), await second.GetAsync(listening, Stop) };
        sleeping.Advance(Cluster.HostTimeout / 5);
        finish.Set();
        await cancelled.WaitAsync();
        await sleeper.DisposeAsync().Within();

        Assert.All(orphans, static orphan => Assert.Equal((TaskState.Failed, Orphaned), (orphan!.State, orphan.Error)));
        Assert.Equal(orphans[0], await second.GetAsync(ignoring, Stop));
        Assert.Equal(orphans[1], await second.GetAsync(listening, Stop));
        await Assert_one_end(second, ignoring, new TaskFailed(ignoring, Orphaned));
        await Assert_one_end(second, listening, new TaskFailed(listening, Orphaned));
    }

    [Fact]
    public async Task A_host_that_was_given_up_can_work_again_once_it_is_awake()
    {
        Assert.SkipUnless(Fixture.HostsWatchEachOther, "Hosts of this store do not watch each other.");
        var sleeping = new ManualClock();
        var sleeper = await StartAsync(options => Asleep(options, sleeping));
        var lost = await sleeper.SpawnAsync("t1", Bodies.Park, cancellationToken: Stop).Within();
        var (second, _) = await OutliveAsync(lost);

        var id = await sleeper.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within();

        Assert.Equal(TaskState.Completed, (await second.WaitAsync(id, Stop).Within()).State);
    }

    [Fact]
    public async Task The_mailboxes_of_a_host_that_was_given_up_are_free_for_others()
    {
        Assert.SkipUnless(Fixture.HostsWatchEachOther, "Hosts of this store do not watch each other.");
        var sleeper = await StartAsync(static options => Asleep(options, new ManualClock()));
        await sleeper.WaitAsync(await sleeper.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within(), Stop).Within();
        var stale = await sleeper.OpenInboxAsync("t1", Stop);
        var lost = await sleeper.SpawnAsync("t2", Bodies.Only(new Signal()), cancellationToken: Stop).Within();
        var told = new TaskCompletionSource<string>();
        var (second, _) = await OutliveAsync(lost, options => options.OnUnreadMail = (thread, _) =>
        {
            if (thread == "t1")
            {
                told.TrySetResult(thread);
            }

            return ValueTask.CompletedTask;
        });

        Assert.Equal("t1", await told.Task.Within());
        await using var inbox = await second.OpenInboxAsync("t1", Stop);
        Assert.Single(await inbox.DrainAsync(Stop));
        await Assert.ThrowsAsync<InboxTakenOverException>(() => stale.AckAsync(1, Stop).Within());
    }

    [Fact]
    public async Task Hosts_that_both_live_do_not_orphan_each_others_tasks()
    {
        var clocks = new[] { new ManualClock(), new ManualClock() };
        var stores = new[] { new FaultyStore(Store), new FaultyStore(Store) };
        var managers = new[]
        {
            await StartAsync(options => Asleep(options, clocks[0]), stores[0]),
            await StartAsync(options => Asleep(options, clocks[1]), stores[1]),
        };
        var ids = new[]
        {
            await managers[0].SpawnAsync("t1", Bodies.Park, cancellationToken: Stop).Within(),
            await managers[1].SpawnAsync("t1", Bodies.Park, cancellationToken: Stop).Within(),
        };

        for (var beat = 0; beat < 30; beat++)
        {
            for (var host = 0; host < 2; host++)
            {
                await clocks[host].RunUntilAsync(stores[host], stores[host].NextHeartbeatAsync());
            }
        }

        foreach (var id in ids)
        {
            Assert.Equal(TaskState.Running, (await managers[0].GetAsync(id, Stop))!.State);
        }
    }

    [Fact]
    public async Task A_host_that_starts_does_not_orphan_the_tasks_of_one_that_lives()
    {
        var first = await StartAsync();
        var id = await first.SpawnAsync("t1", Bodies.Park, cancellationToken: Stop).Within();
        var second = await StartAsync();
        await second.DisposeAsync().Within();
        await StartAsync();

        Assert.Equal(TaskState.Running, (await first.GetAsync(id, Stop))!.State);
        Assert.True(await first.CancelAsync(id, Stop).Within());
        Assert.Equal(TaskState.Cancelled, (await first.WaitAsync(id, Stop).Within()).State);
    }

    [Fact]
    public async Task What_a_shutdown_left_running_is_an_orphan_as_soon_as_a_host_starts()
    {
        var first = await StartAsync(static options => options.ShutdownGracePeriod = TimeSpan.Zero);
        var stuck = new Signal();
        var id = await first.SpawnAsync("t1", Bodies.Only(stuck), cancellationToken: Stop).Within();
        await first.DisposeAsync().Within();
        Assert.Equal(TaskState.Running, (await Store.GetAsync(id, Stop))!.State);

        var second = await StartAsync();

        Assert.Equal(Orphaned, (await second.GetAsync(id, Stop))!.Error);
        stuck.Set();
        await Assert_one_end(second, id, new TaskFailed(id, Orphaned));
    }

    [Fact]
    public async Task What_a_shutdown_left_running_is_noticed_by_a_host_that_is_already_there()
    {
        Assert.SkipUnless(Fixture.HostsWatchEachOther, "Hosts of this store do not watch each other.");
        var clock = new ManualClock();
        var store = new FaultyStore(Store);
        var staying = await StartAsync(options => Asleep(options, clock), store);
        var leaving = await StartAsync(static options => options.ShutdownGracePeriod = TimeSpan.Zero);
        var id = await leaving.SpawnAsync("t1", Bodies.Only(new Signal()), cancellationToken: Stop).Within();
        await leaving.DisposeAsync().Within();

        await clock.RunUntilAsync(store, staying.WaitAsync(id, Stop));

        Assert.Equal(Orphaned, (await staying.GetAsync(id, Stop))!.Error);
    }

    [Fact]
    public async Task An_orphaned_agents_messages_are_dead_letters()
    {
        var first = await StartAsync(static options => options.ShutdownGracePeriod = TimeSpan.Zero);
        var thread = new TaskCompletionSource<string>();
        var agent = await first.SpawnAgentAsync("t1", async context =>
        {
            thread.SetResult(context.ThreadId);
            await new Signal().Task;
            return TaskOutcome.Success("never");
        }, cancellationToken: Stop).Within();
        await first.SendAsync(agent, new MessageSender("t1", "planner"), "look", Stop).Within();
        var agentThread = await thread.Task.Within();
        await first.DisposeAsync().Within();

        var second = await StartAsync();

        Assert.Equal(AgentMessage.Create(agent, "planner", "look"), Assert.Single(await second.ListDeadLettersAsync(agentThread, Stop)).Event);
        Assert.Equal(
            new SendReceipt(SendResult.TaskTerminated, TaskState.Failed),
            await second.SendAsync(agent, new MessageSender("t1", "planner"), "late", Stop).Within());
    }

    [Fact]
    public async Task Many_hosts_that_start_at_once_orphan_each_task_once()
    {
        var first = await StartAsync(static options => options.ShutdownGracePeriod = TimeSpan.Zero);
        var ids = new List<string>();
        for (var i = 0; i < 20; i++)
        {
            ids.Add(await first.SpawnAsync("t1", Bodies.Only(new Signal()), cancellationToken: Stop).Within());
        }

        await first.DisposeAsync().Within();
        var managers = await Enumerable.Range(0, 4).Select(_ => Task.Run(() => StartAsync(), Stop)).AllWithin();

        await using var inbox = await managers[0].OpenInboxAsync("t1", Stop);
        var events = await inbox.EventsAsync();
        Assert.Equal(ids.Order(), events.Cast<TaskFailed>().Select(static failed => failed.TaskId).Order());
    }

    private static void Asleep(BackgroundTaskOptions options, ManualClock clock)
    {
        options.TimeProvider = clock;
        options.HostTimeout = Cluster.HostTimeout;
        options.ShutdownGracePeriod = TimeSpan.Zero;
    }

    /// <summary>Starts a host whose clock runs until it has noticed that the host of a task is gone.</summary>
    private async Task<(BackgroundTaskManager Manager, ManualClock Clock)> OutliveAsync(string taskId, Action<BackgroundTaskOptions>? configure = null)
    {
        var clock = new ManualClock();
        var store = new FaultyStore(Store);
        var manager = await StartAsync(options =>
        {
            Asleep(options, clock);
            configure?.Invoke(options);
        }, store);
        await clock.RunUntilAsync(store, manager.WaitAsync(taskId, Stop));
        return (manager, clock);
    }

    private static async Task Assert_one_end(BackgroundTaskManager manager, string taskId, TaskEvent end)
    {
        await using var inbox = await manager.OpenInboxAsync("t1", Stop);
        Assert.Equal([end], (await inbox.EventsAsync()).OfType<TaskEvent>().Where(mail => mail.TaskId == taskId && mail.IsTerminal));
    }
}
