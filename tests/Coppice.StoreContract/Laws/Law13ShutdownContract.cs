namespace Coppice.StoreContract;

/// <summary>Law 13: shutdown.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class Law13ShutdownContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    [Fact]
    public async Task Every_body_is_signalled_and_what_ends_is_committed_without_a_cancel_request()
    {
        var manager = await StartAsync();
        var finishing = await manager.SpawnAsync("t1", static async context =>
        {
            await context.WhenCancelledAsync();
            context.Emit("progress", "tidied up");
            return TaskOutcome.Success("in time");
        }, cancellationToken: Stop).Within();
        var throwing = await manager.SpawnAsync("t1", static async context =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.CancellationToken);
            return TaskOutcome.Success("never");
        }, cancellationToken: Stop).Within();

        await manager.DisposeAsync().Within();

        var completed = (await Store.GetAsync(finishing, Stop))!;
        var cancelled = (await Store.GetAsync(throwing, Stop))!;
        Assert.Equal((TaskState.Completed, null, null), (completed.State, completed.CancelRequestedAt, completed.CancelledBy));
        Assert.Equal((TaskState.Cancelled, null, null), (cancelled.State, cancelled.CancelRequestedAt, cancelled.CancelledBy));
        var second = await StartAsync();
        await using var inbox = await second.OpenInboxAsync("t1", Stop);
        Assert.Equal(3, (await inbox.EventsAsync()).Count);
    }

    [Fact]
    public async Task New_spawns_are_refused_from_the_moment_it_begins_also_from_bodies()
    {
        var manager = await StartAsync();
        var inside = new TaskCompletionSource<SpawnError?>();
        var finish = new Signal();
        await manager.SpawnAsync("t1", async context =>
        {
            await context.WhenCancelledAsync();
            inside.SetResult(await ErrorAsync(manager));
            await finish.Task;
            return TaskOutcome.Success("done");
        }, cancellationToken: Stop).Within();

        var disposing = manager.DisposeAsync().AsTask();

        Assert.Equal(SpawnError.ShuttingDown, await inside.Task.Within());
        Assert.Equal(SpawnError.ShuttingDown, await ErrorAsync(manager));
        Assert.False(disposing.IsCompleted);
        finish.Set();
        await disposing.Within();
        Assert.Single(await Store.ListAsync(new TaskQuery(), null, 10, Stop));
    }

    [Fact]
    public async Task Spawns_at_the_same_time_run_to_their_end_or_are_refused()
    {
        for (var round = 0; round < 20; round++)
        {
            var manager = await StartAsync();
            var thread = $"t{round}";
            var spawns = Enumerable.Range(0, 10).Select(_ => Task.Run(async () =>
            {
                try
                {
                    return await manager.SpawnAsync(thread, Bodies.Park, cancellationToken: Stop);
                }
                catch (Exception e) when (e is SpawnException { Error: SpawnError.ShuttingDown } or ObjectDisposedException)
                {
                    return null;
                }
            }, Stop)).ToList();
            await Task.Run(async () => await manager.DisposeAsync(), Stop).Within();

            var spawned = (await spawns.AllWithin()).Where(static id => id is not null).ToList();
            var stored = await Store.ListAsync(new TaskQuery { OwnerThreadId = thread }, null, 100, Stop);
            Assert.Equal(spawned.Order(), stored.Select(static task => task.TaskId).Order());
            Assert.All(stored, static task => Assert.Equal(TaskState.Cancelled, task.State));
        }
    }

    [Fact]
    public async Task A_read_in_its_last_moment_is_told_of_the_disposal_and_not_of_another_reader()
    {
        var store = new FaultyStore(Store);
        var manager = await StartAsync(store: store);
        var inbox = await manager.OpenInboxAsync("t1", Stop).Within();
        var left = store.Hold<LeaveHost>(FaultMoment.AfterCommit);

        var disposing = manager.DisposeAsync().AsTask();
        await left.Reached.Task.Within();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => inbox.DrainAsync(Stop).AsTask().Within());
        left.Release();
        await disposing.Within();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => inbox.DrainAsync(Stop).AsTask().Within());
    }

    [Fact]
    public async Task A_spawn_that_was_on_its_way_when_it_began_is_signalled_too()
    {
        var store = new FaultyStore(Store);
        var signalled = new Signal();
        var manager = await StartAsync(store: store);
        await manager.SpawnAsync("t1", async context =>
        {
            await context.WhenCancelledAsync();
            signalled.Set();
            return TaskOutcome.Cancelled;
        }, cancellationToken: Stop).Within();
        var hold = store.Hold<AddTask>(FaultMoment.BeforeCommit);
        var spawn = manager.SpawnAsync("t2", Bodies.Park, cancellationToken: Stop).AsTask();
        await hold.Reached.WaitAsync();
        var disposing = manager.DisposeAsync().AsTask();
        await signalled.WaitAsync();
        Assert.False(disposing.IsCompleted);
        hold.Release();

        var id = await spawn.Within();
        await disposing.Within();
        Assert.Equal((TaskState.Cancelled, null), ((await Store.GetAsync(id, Stop))!.State, (await Store.GetAsync(id, Stop))!.CancelledBy));
    }

    [Fact]
    public async Task It_waits_no_longer_than_the_grace_period_and_writes_nothing_afterwards()
    {
        var clock = new ManualClock();
        var first = await StartAsync(options =>
        {
            options.TimeProvider = clock;
            options.ShutdownGracePeriod = TimeSpan.FromSeconds(25);
            options.HostTimeout = TimeSpan.FromHours(10);
        });
        var finish = new Signal();
        var signalled = new Signal();
        var emitted = new TaskCompletionSource<bool>();
        var id = await first.SpawnAsync("t1", async context =>
        {
            await context.WhenCancelledAsync();
            signalled.Set();
            await finish.Task;
            emitted.SetResult(context.Emit("progress", "late"));
            return TaskOutcome.Success("late");
        }, cancellationToken: Stop).Within();

        var disposing = first.DisposeAsync().AsTask();
        await signalled.WaitAsync();
        clock.Advance(TimeSpan.FromSeconds(24));
        Assert.False(disposing.IsCompleted);
        await PassAsync(clock, TimeSpan.FromSeconds(2), disposing);

        var left = await Store.GetAsync(id, Stop);
        Assert.Equal(TaskState.Running, left!.State);
        finish.Set();
        await emitted.Task.Within();
        var second = await StartAsync();
        Assert.Equal("task orphaned: runtime restarted while running", (await second.GetAsync(id, Stop))!.Error);
        await using var inbox = await second.OpenInboxAsync("t1", Stop);
        Assert.IsType<TaskFailed>(Assert.Single(await inbox.EventsAsync()));
    }

    [Fact]
    public async Task A_completion_that_cannot_be_stored_does_not_hold_it_up_beyond_the_grace_period()
    {
        var store = new FaultyStore(Store);
        var manager = await StartAsync(static options => options.ShutdownGracePeriod = TimeSpan.FromMilliseconds(50), store);
        var failing = store.Fail<FinishTask>(FaultMoment.KnownBeforeCommit, times: int.MaxValue);
        var id = await manager.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within();
        await failing.Reached.WaitAsync();

        await manager.DisposeAsync().Within();
        var commits = store.Commits;

        Assert.Equal(TaskState.Running, (await Store.GetAsync(id, Stop))!.State);
        await StartAsync();
        Assert.Equal(commits, store.Commits);
    }

    [Fact]
    public async Task Pending_waits_reads_watches_and_agents_reads_end_with_ObjectDisposedException()
    {
        var manager = await StartAsync(static options => options.ShutdownGracePeriod = TimeSpan.FromMilliseconds(50));
        var agentsRead = new TaskCompletionSource<Task<InboxItem>>();
        await manager.SpawnAgentAsync("t1", async context =>
        {
            agentsRead.SetResult(context.Inbox.ReadAsync(CancellationToken.None).AsTask());
            await new Signal().Task;
            return TaskOutcome.Success("never");
        }, cancellationToken: Stop).Within();
        var stuck = await manager.SpawnAsync("t1", Bodies.Only(new Signal()), cancellationToken: Stop).Within();
        var wait = manager.WaitAsync(stuck, CancellationToken.None);
        var inbox = await manager.OpenInboxAsync("t2", Stop);
        var read = inbox.ReadAsync(CancellationToken.None).AsTask();
        await using var all = inbox.ReadAllAsync(CancellationToken.None).GetAsyncEnumerator(CancellationToken.None);
        var readAll = all.MoveNextAsync().AsTask();
        await using var changes = manager.WatchAsync(null, CancellationToken.None).GetAsyncEnumerator(CancellationToken.None);
        var watch = changes.MoveNextAsync().AsTask();
        var agents = await agentsRead.Task.Within();

        await manager.DisposeAsync().Within();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => wait.Within());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => read.Within());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => readAll.Within());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => watch.Within());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => agents.Within());
        await inbox.DisposeAsync().Within();
    }

    [Fact]
    public async Task Every_later_call_gets_ObjectDisposedException_after_its_arguments_and_before_its_token()
    {
        var manager = await StartAsync();
        var inbox = await manager.OpenInboxAsync("t1", Stop);
        await manager.DisposeAsync().Within();
        var cancelled = new CancellationToken(canceled: true);

        foreach (var token in new[] { Stop, cancelled })
        {
            await DisposedAsync(() => manager.SpawnAsync("t1", Bodies.Done, cancellationToken: token).Within());
            await DisposedAsync(() => manager.SpawnAsync("t1", static _ => Task.FromResult(1), cancellationToken: token).Within());
            await DisposedAsync(() => manager.SpawnAsync("t1", static async _ => await Task.Yield(), cancellationToken: token).Within());
            await DisposedAsync(() => manager.SpawnAgentAsync("t1", Bodies.Done, cancellationToken: token).Within());
            await DisposedAsync(() => manager.CancelAsync("bg_0", token).Within());
            await DisposedAsync(() => manager.CancelTreeAsync("bg_0", token).Within());
            await DisposedAsync(() => manager.CancelThreadAsync("t1", token).Within());
            await DisposedAsync(() => manager.CancelRunAsync("r1", token).Within());
            await DisposedAsync(() => manager.GetAsync("bg_0", token).Within());
            await DisposedAsync(() => manager.ListAsync("t1", token).Within());
            await DisposedAsync(() => manager.QueryAsync(new TaskQuery(), token).GetAsyncEnumerator(token).MoveNextAsync().Within());
            await DisposedAsync(() => manager.HasRunningAsync("t1", token).Within());
            await DisposedAsync(() => manager.WaitAsync("bg_0", token).Within());
            await DisposedAsync(() => manager.WatchAsync(null, token).GetAsyncEnumerator(token).MoveNextAsync().Within());
            await DisposedAsync(() => manager.SendAsync("bg_0", new MessageSender("t1", "a"), "x", token).Within());
            await DisposedAsync(() => manager.FindLiveChildAsync(TaskLineage.None, "x", token).Within());
            await DisposedAsync(() => manager.OpenInboxAsync("t1", token).Within());
            await DisposedAsync(() => manager.ListDeadLettersAsync("t1", token).Within());
            await DisposedAsync(() => manager.RestoreAsync("t1", [], token).Within());
            await DisposedAsync(() => manager.ExportAsync(null, token).GetAsyncEnumerator(token).MoveNextAsync().Within());
            await DisposedAsync(() => manager.PruneAsync(TimeSpan.FromDays(1), token).Within());
            await DisposedAsync(() => inbox.DrainAsync(token).Within());
            await DisposedAsync(() => inbox.ReadAsync(token).Within());
            await DisposedAsync(() => inbox.AckAsync(0, token).Within());
        }

        await Assert.ThrowsAnyAsync<ArgumentException>(() => manager.SpawnAsync(null!, Bodies.Done, cancellationToken: Stop).Within());
        await Assert.ThrowsAsync<ArgumentNullException>(() => manager.CancelAsync(null!, Stop).Within());
        await Assert.ThrowsAsync<ArgumentNullException>(() => manager.GetAsync(null!, Stop).Within());
    }

    [Fact]
    public async Task A_second_dispose_does_nothing_and_one_at_the_same_time_waits()
    {
        var manager = await StartAsync();
        var finish = new Signal();
        await manager.SpawnAsync("t1", Bodies.Only(finish), cancellationToken: Stop).Within();
        var first = manager.DisposeAsync().AsTask();
        var second = manager.DisposeAsync().AsTask();
        Assert.False(first.IsCompleted);
        finish.Set();
        await first.Within();
        await second.Within();
        await manager.DisposeAsync().Within();
    }

    [Fact]
    public async Task The_store_is_not_disposed_with_its_manager_and_other_managers_go_on()
    {
        var first = await StartAsync();
        var second = await StartAsync();
        var id = await second.SpawnAsync("t1", Bodies.Park, cancellationToken: Stop).Within();
        await first.DisposeAsync().Within();

        Assert.NotNull(await Store.GetAsync(id, Stop));
        Assert.Equal(TaskState.Running, (await second.GetAsync(id, Stop))!.State);
        Assert.True(await second.CancelAsync(id, Stop).Within());
        Assert.Equal(TaskState.Cancelled, (await second.WaitAsync(id, Stop).Within()).State);
    }

    [Fact]
    public async Task Inboxes_of_a_disposed_manager_are_free_for_the_next()
    {
        var first = await StartAsync();
        await first.WaitAsync(await first.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within(), Stop).Within();
        var stale = await first.OpenInboxAsync("t1", Stop);
        var told = new Signal();
        await StartAsync(options => options.OnUnreadMail = (_, _) =>
        {
            told.Set();
            return ValueTask.CompletedTask;
        });
        Assert.False(told.IsSet);

        await first.DisposeAsync().Within();

        await told.WaitAsync();
        await stale.DisposeAsync().Within();
    }

    private static async Task PassAsync(ManualClock clock, TimeSpan step, Task until)
    {
        while (!until.IsCompleted)
        {
            var armed = clock.NextArmedAsync();
            clock.Advance(step);
            await Task.WhenAny(until, armed).Within();
        }

        await until.Within();
    }

    private static Task<ObjectDisposedException> DisposedAsync(Func<Task> call) => Assert.ThrowsAsync<ObjectDisposedException>(call);

    private static async Task<SpawnError?> ErrorAsync(BackgroundTaskManager manager)
    {
        try
        {
            await manager.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop);
            return null;
        }
        catch (SpawnException refused)
        {
            return refused.Error;
        }
    }
}
