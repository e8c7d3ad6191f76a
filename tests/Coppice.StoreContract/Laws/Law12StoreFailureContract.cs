namespace Coppice.StoreContract;

/// <summary>Law 12: failure of the store.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class Law12StoreFailureContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    private const string Failures = "coppice.store.commit.failures";

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_spawn_whose_commit_fails_throws_runs_nothing_and_is_counted(bool isTransient)
    {
        using var meters = new WatchedMeters();
        var store = new FaultyStore(Store);
        var manager = await StartAsync(options => options.MeterFactory = meters, store);
        var runs = 0;
        store.Fail<AddTask>(FaultMoment.BeforeCommit, isTransient: isTransient);

        var thrown = await Assert.ThrowsAsync<TaskStoreException>(() => manager.SpawnAsync("t1", _ =>
        {
            Interlocked.Increment(ref runs);
            return Task.FromResult(TaskOutcome.Success("done"));
        }, new SpawnOptions { Name = "worker" }, Stop).Within());

        Assert.Equal(isTransient, thrown.IsTransient);
        Assert.Equal("store_unavailable", thrown.Code);
        Assert.Equal(1, meters.Counted(Failures, "spawn"));
        Assert.Empty(await manager.ListAsync("t1", Stop));
        var next = await manager.SpawnAsync("t1", Bodies.Done, new SpawnOptions { Name = "worker" }, Stop).Within();
        await manager.WaitAsync(next, Stop).Within();
        Assert.Equal(0, runs);
    }

    [Theory]
    [InlineData(FaultMoment.BeforeCommit)]
    [InlineData(FaultMoment.KnownBeforeCommit)]
    public async Task A_completion_whose_commit_fails_is_tried_again_until_it_lands_and_the_task_counts_as_running_meanwhile(FaultMoment moment)
    {
        using var meters = new WatchedMeters();
        var store = new FaultyStore(Store);
        var manager = await StartAsync(options => options.MeterFactory = meters, store);
        await using var inbox = await manager.OpenInboxAsync("t1", Stop);
        var failing = store.Fail<FinishTask>(moment, times: 3);
        var hold = store.Hold<FinishTask>(FaultMoment.BeforeCommit);
        var options = new SpawnOptions { Name = "worker" };
        var id = await manager.SpawnAsync("t1", Bodies.Done, options, Stop).Within();
        await failing.Reached.WaitAsync();
        await hold.Reached.WaitAsync();

        Assert.Equal(TaskState.Running, (await manager.GetAsync(id, Stop))!.State);
        Assert.True(await manager.HasRunningAsync("t1", Stop));
        Assert.Empty(await inbox.DrainAsync(Stop));
        await Assert.ThrowsAsync<SpawnException>(() => manager.SpawnAsync("t1", Bodies.Done, options, Stop).Within());
        hold.Release();

        Assert.Equal(TaskState.Completed, (await manager.WaitAsync(id, Stop).Within()).State);
        Assert.Equal(3, meters.Counted(Failures, "completion"));
        Assert.IsType<TaskCompleted>(Assert.Single(await inbox.EventsAsync()));
    }

    [Theory]
    [InlineData(FaultMoment.AfterCommit, 0)]
    [InlineData(FaultMoment.AfterCommitUnseen, 0)]
    [InlineData(FaultMoment.AfterCommitUnseen, 2)]
    public async Task A_completion_whose_answer_was_lost_ends_the_task_once(FaultMoment moment, int failingLookups)
    {
        var store = new FaultyStore(Store);
        var manager = await StartAsync(store: store);
        store.Fail<FinishTask>(moment);
        store.FailLookups(failingLookups);
        var id = await manager.SpawnAsync("t1", static context =>
        {
            context.Emit("progress", 1);
            return Task.FromResult(TaskOutcome.Success("done"));
        }, cancellationToken: Stop).Within();
        Assert.Equal(TaskState.Completed, (await manager.WaitAsync(id, Stop).Within()).State);
        await manager.DisposeAsync().Within();

        var second = await StartAsync();
        Assert.Equal(TaskState.Completed, (await second.GetAsync(id, Stop))!.State);
        await using var inbox = await second.OpenInboxAsync("t1", Stop);
        var mail = await inbox.EventsAsync();
        Assert.Equal(2, mail.Count);
        Assert.IsType<TaskCompleted>(mail[1]);
    }

    [Fact]
    public async Task A_completion_that_was_never_stored_sends_no_event_and_leaves_an_orphan()
    {
        var store = new FaultyStore(Store);
        var first = await StartAsync(static options => options.ShutdownGracePeriod = TimeSpan.Zero, store);
        var failing = store.Fail<FinishTask>(FaultMoment.KnownBeforeCommit, times: int.MaxValue);
        var id = await first.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within();
        await failing.Reached.WaitAsync();
        await first.DisposeAsync().Within();

        var second = await StartAsync();
        await using var inbox = await second.OpenInboxAsync("t1", Stop);
        Assert.Equal(
            [new TaskFailed(id, "task orphaned: runtime restarted while running")], await inbox.EventsAsync());
    }

    [Fact]
    public async Task A_cancel_while_a_completion_is_tried_again_still_answers_for_a_live_task()
    {
        var store = new FaultyStore(Store);
        var manager = await StartAsync(store: store);
        var hold = store.Hold<FinishTask>(FaultMoment.BeforeCommit);
        var id = await manager.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within();
        await hold.Reached.WaitAsync();

        Assert.True(await manager.CancelAsync(id, Stop).Within());
        hold.Release();

        var ended = await manager.WaitAsync(id, Stop).Within();
        Assert.Equal((TaskState.Completed, "user"), (ended.State, ended.CancelledBy));
    }

    [Fact]
    public async Task Every_operation_that_fails_says_so_and_is_counted_by_its_name()
    {
        using var meters = new WatchedMeters();
        var store = new FaultyStore(Store);
        var manager = await StartAsync(options => options.MeterFactory = meters, store);
        var id = await manager.SpawnAsync("t1", Bodies.Park, cancellationToken: Stop).Within();
        store.Fail<RestoreTasks>(FaultMoment.KnownBeforeCommit);
        store.Fail<PruneTasks>(FaultMoment.KnownBeforeCommit);
        store.Fail<OpenMailbox>(FaultMoment.KnownBeforeCommit);
        store.Fail<RequestCancel>(FaultMoment.KnownBeforeCommit);

        await Assert.ThrowsAsync<TaskStoreException>(() => manager.RestoreAsync("t1", [], Stop).Within());
        await Assert.ThrowsAsync<TaskStoreException>(() => manager.PruneAsync(TimeSpan.FromDays(1), Stop).Within());
        await Assert.ThrowsAsync<TaskStoreException>(() => manager.OpenInboxAsync("t1", Stop).Within());
        await Assert.ThrowsAsync<TaskStoreException>(() => manager.CancelAsync(id, Stop).Within());

        Assert.Equal(1, meters.Counted(Failures, "restore"));
        Assert.Equal(1, meters.Counted(Failures, "cancel"));
    }

    [Fact]
    public async Task An_acknowledgement_that_fails_can_be_made_again()
    {
        var store = new FaultyStore(Store);
        var manager = await StartAsync(store: store);
        await manager.WaitAsync(await manager.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within(), Stop).Within();
        await using var inbox = await manager.OpenInboxAsync("t1", Stop);
        var item = Assert.Single(await inbox.DrainAsync(Stop));
        store.Fail<AcknowledgeMail>(FaultMoment.KnownBeforeCommit);

        await Assert.ThrowsAsync<TaskStoreException>(() => inbox.AckAsync(item.Sequence, Stop).Within());
        await inbox.AckAsync(item.Sequence, Stop).AsTask().Within();

        await using var again = await manager.OpenInboxAsync("t1", Stop);
        Assert.Empty(await again.DrainAsync(Stop));
    }

    [Fact]
    public async Task A_manager_whose_first_commit_fails_does_not_start_and_leaves_nothing_behind()
    {
        var store = new FaultyStore(Store);
        store.Fail<JoinHost>(FaultMoment.KnownBeforeCommit);

        await Assert.ThrowsAsync<TaskStoreException>(() => BackgroundTaskManager.StartAsync(store, null, Stop).Within());

        var manager = await StartAsync(store: store);
        await manager.WaitAsync(await manager.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within(), Stop).Within();
    }
}
