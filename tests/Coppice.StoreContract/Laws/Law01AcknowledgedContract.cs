using System.Collections.Concurrent;

namespace Coppice.StoreContract;

/// <summary>Law 1: acknowledged means stored.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class Law01AcknowledgedContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    [Fact]
    public async Task A_spawn_is_acknowledged_only_after_its_commit_and_the_body_starts_only_then()
    {
        var store = new FaultyStore(Store);
        var manager = await StartAsync(store: store);
        var started = new Signal();
        var hold = store.Hold<AddTask>(FaultMoment.BeforeCommit);

        var spawn = manager.SpawnAsync("t1", Starting(started), cancellationToken: Stop).AsTask();
        await hold.Reached.WaitAsync();
        Assert.False(spawn.IsCompleted);
        Assert.False(started.IsSet);
        hold.Release();

        Assert.NotNull(await Store.GetAsync(await spawn.Within(), Stop));
        await started.WaitAsync();
    }

    [Fact]
    public async Task A_body_finds_its_own_task_in_the_store()
    {
        var manager = await StartAsync();
        var seen = new TaskCompletionSource<TaskSnapshot?>();

        var id = await manager.SpawnAsync("t1", async context =>
        {
            seen.SetResult(await context.Manager.GetAsync(context.TaskId, Stop));
            return TaskOutcome.Success("done");
        }, new SpawnOptions { Name = "worker", Description = "look" }, Stop).Within();

        var task = await seen.Task.Within();
        Assert.Equal((id, "worker", "look", TaskState.Running), (task!.TaskId, task.Name, task.Description, task.State));
    }

    [Fact]
    public async Task What_was_acknowledged_outlives_the_process()
    {
        var first = await StartAsync(static options => options.ShutdownGracePeriod = TimeSpan.Zero);
        var ids = new List<string>();
        for (var i = 0; i < 20; i++)
        {
            ids.Add(await first.SpawnAsync("t1", Bodies.Done, new SpawnOptions { Name = $"n{i}" }, Stop).Within());
        }

        var ended = await ids.Select(id => first.WaitAsync(id, Stop)).AllWithin();
        await ReopenAsync();
        var second = await StartAsync();

        Assert.Equal(ended.OrderBy(static task => task.CreatedAt), await second.ListAsync("t1", Stop));
        await using var inbox = await second.OpenInboxAsync("t1", Stop);
        Assert.Equal(20, (await inbox.DrainAsync(Stop)).Count);
    }

    [Fact]
    public async Task A_caller_that_had_already_given_up_leaves_nothing_behind()
    {
        var manager = await StartAsync();
        var started = new Signal();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => manager.SpawnAsync("t1", Starting(started), new SpawnOptions { Name = "worker" }, new CancellationToken(canceled: true)).Within());

        await Assert_nothing_was_spawned(manager, started);
    }

    [Fact]
    public async Task A_caller_that_gives_up_before_the_writer_has_the_batch_leaves_nothing_behind()
    {
        var store = new FaultyStore(Store);
        var manager = await StartAsync(store: store);
        var started = new Signal();
        using var source = new CancellationTokenSource();
        var hold = store.Hold<AddTask>(FaultMoment.BeforeCommit);

        var spawn = manager.SpawnAsync("t1", Starting(started), new SpawnOptions { Name = "worker" }, source.Token).AsTask();
        await hold.Reached.WaitAsync();
        await source.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => spawn.Within());
        await Assert_nothing_was_spawned(manager, started);
    }

    [Fact]
    public async Task A_caller_that_gives_up_after_the_writer_has_the_batch_is_ignored()
    {
        var store = new FaultyStore(Store);
        var manager = await StartAsync(store: store);
        var started = new Signal();
        using var source = new CancellationTokenSource();
        var hold = store.Hold<AddTask>(FaultMoment.AfterCommit);

        var spawn = manager.SpawnAsync("t1", Starting(started), cancellationToken: source.Token).AsTask();
        await hold.Reached.WaitAsync();
        await source.CancelAsync();
        hold.Release();

        var id = await spawn.Within();
        await started.WaitAsync();
        Assert.Equal(TaskState.Completed, (await manager.WaitAsync(id, Stop).Within()).State);
    }

    [Fact]
    public async Task A_caller_that_gives_up_at_any_moment_leaves_either_a_running_task_or_nothing()
    {
        var manager = await StartAsync();
        var acknowledged = new List<string>();
        var runs = 0;
        for (var round = 0; round < 150; round++)
        {
            using var source = new CancellationTokenSource();
            var spawn = Task.Run(async () => await manager.SpawnAsync("t1", async _ =>
            {
                Interlocked.Increment(ref runs);
                await Task.Yield();
                return TaskOutcome.Success("done");
            }, cancellationToken: source.Token), Stop);
            await Task.Run(source.Cancel, Stop).Within();
            try
            {
                acknowledged.Add(await spawn.Within());
            }
            catch (OperationCanceledException)
            {
                // Given up in time; the count below says that nothing is left of it.
            }
        }

        await acknowledged.Select(id => manager.WaitAsync(id, Stop)).AllWithin();
        Assert.Equal(acknowledged.Order(), (await manager.ListAsync("t1", Stop)).Select(static task => task.TaskId).Order());
        Assert.Equal(acknowledged.Count, runs);
    }

    [Theory]
    [InlineData(FaultMoment.AfterCommit, 0)]
    [InlineData(FaultMoment.AfterCommitUnseen, 0)]
    [InlineData(FaultMoment.AfterCommitUnseen, 2)]
    public async Task A_spawn_whose_answer_was_lost_after_it_was_stored_runs(FaultMoment moment, int failingLookups)
    {
        var store = new FaultyStore(Store);
        var manager = await StartAsync(store: store);
        var runs = 0;
        store.Fail<AddTask>(moment);
        store.FailLookups(failingLookups);

        var id = await manager.SpawnAsync("t1", _ =>
        {
            Interlocked.Increment(ref runs);
            return Task.FromResult(TaskOutcome.Success("done"));
        }, cancellationToken: Stop).Within();

        Assert.Equal(TaskState.Completed, (await manager.WaitAsync(id, Stop).Within()).State);
        Assert.Equal(1, runs);
        Assert.True(moment == FaultMoment.AfterCommit || store.Lookups > failingLookups, "The batch was not looked up.");
        Assert.Single(await manager.ListAsync("t1", Stop));
    }

    [Fact]
    public async Task A_spawn_that_landed_while_its_answer_and_every_look_up_were_lost_is_ended_once_the_store_answers_again()
    {
        var store = new FaultyStore(Store);
        var clock = new ManualClock();
        var manager = await StartAsync(options => options.TimeProvider = clock, store);
        var started = new Signal();
        store.Fail<AddTask>(FaultMoment.AfterCommitUnseen);
        store.FailLookups(6);

        var spawn = manager.SpawnAsync("t1", Starting(started), new SpawnOptions { Name = "worker" }, Stop).AsTask();
        await clock.RunUntilAsync(store, ((Task)spawn).ContinueWith(static _ => { }, Stop, TaskContinuationOptions.None, TaskScheduler.Default));
        await Assert.ThrowsAsync<TaskStoreException>(() => spawn);
        var unwanted = Assert.Single(await manager.ListAsync("t1", Stop));
        var ended = manager.WaitAsync(unwanted.TaskId, Stop);
        await clock.RunUntilAsync(store, ended);

        Assert.Equal(TaskState.Failed, (await ended).State);
        Assert.False(started.IsSet, "A spawn that threw ran its body.");
        await manager.SpawnAsync("t1", Starting(started), new SpawnOptions { Name = "worker" }, Stop).Within();
    }

    [Fact]
    public async Task An_inbox_that_was_opened_while_its_answer_and_every_look_up_were_lost_does_not_keep_mail_from_being_told_of()
    {
        var store = new FaultyStore(Store);
        var clock = new ManualClock();
        var told = new Signal();
        var manager = await StartAsync(
            options =>
            {
                options.TimeProvider = clock;
                options.OnUnreadMail = (_, _) =>
                {
                    told.Set();
                    return ValueTask.CompletedTask;
                };
            },
            store);
        store.Fail<OpenMailbox>(FaultMoment.AfterCommitUnseen);
        store.FailLookups(6);

        var open = manager.OpenInboxAsync("t1", Stop).AsTask();
        await clock.RunUntilAsync(store, ((Task)open).ContinueWith(static _ => { }, Stop, TaskContinuationOptions.None, TaskScheduler.Default));
        await Assert.ThrowsAsync<TaskStoreException>(() => open);
        await manager.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within();
        await clock.RunUntilAsync(store, told.Task);
    }

    [Theory]
    [InlineData(FaultMoment.BeforeCommit)]
    [InlineData(FaultMoment.KnownBeforeCommit)]
    public async Task A_spawn_that_was_not_stored_throws_and_does_not_run(FaultMoment moment)
    {
        var store = new FaultyStore(Store);
        var manager = await StartAsync(store: store);
        var started = new Signal();
        store.Fail<AddTask>(moment);

        var thrown = await Assert.ThrowsAsync<TaskStoreException>(
            () => manager.SpawnAsync("t1", Starting(started), new SpawnOptions { Name = "worker" }, Stop).Within());

        Assert.True(thrown.IsTransient);
        await Assert_nothing_was_spawned(manager, started);
    }

    [Fact]
    public async Task Whatever_becomes_of_the_answers_what_was_stored_runs_once_and_what_was_not_never()
    {
        var store = new FaultyStore(Store);
        var manager = await StartAsync(store: store);
        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var moments = new[] { FaultMoment.Never, FaultMoment.BeforeCommit, FaultMoment.KnownBeforeCommit, FaultMoment.AfterCommit };
        var ran = new ConcurrentBag<string>();
        var acknowledged = new ConcurrentBag<string>();
        store.Always = batch =>
        {
            lock (random)
            {
                return FaultyStore.Has<AddTask>()(batch) ? moments[random.Next(moments.Length)] : FaultMoment.Never;
            }
        };

        await Enumerable.Range(0, 200).Select(_ => Task.Run(async () =>
        {
            try
            {
                acknowledged.Add(await manager.SpawnAsync("t1", context =>
                {
                    ran.Add(context.TaskId);
                    return Task.FromResult(TaskOutcome.Success("done"));
                }, cancellationToken: Stop));
            }
            catch (TaskStoreException)
            {
                // It was not stored; the comparison below says so.
            }
        }, Stop)).AllWithin();
        store.Always = null;
        await acknowledged.Select(id => manager.WaitAsync(id, Stop)).AllWithin();

        Assert.Equal(acknowledged.Order(), ran.Order());
        Assert.Equal(acknowledged.Order(), (await manager.ListAsync("t1", Stop)).Select(static task => task.TaskId).Order());
    }

    [Theory]
    [InlineData(FaultMoment.AfterCommit)]
    [InlineData(FaultMoment.AfterCommitUnseen)]
    public async Task A_cancel_whose_answer_was_lost_is_answered_by_what_was_stored(FaultMoment moment)
    {
        var store = new FaultyStore(Store);
        var manager = await StartAsync(store: store);
        var id = await manager.SpawnAsync("t1", Bodies.Park, cancellationToken: Stop).Within();
        store.Fail<RequestCancel>(moment);

        Assert.True(await manager.CancelAsync(id, Stop).Within());
        Assert.Equal(TaskState.Cancelled, (await manager.WaitAsync(id, Stop).Within()).State);
    }

    [Theory]
    [InlineData(FaultMoment.AfterCommit)]
    [InlineData(FaultMoment.AfterCommitUnseen)]
    public async Task A_message_whose_answer_was_lost_is_delivered_once(FaultMoment moment)
    {
        var store = new FaultyStore(Store);
        var manager = await StartAsync(store: store);
        var agent = await manager.SpawnAgentAsync("t1", async context =>
        {
            await context.WhenCancelledAsync();
            var mail = await context.Inbox.EventsAsync();
            return TaskOutcome.Success(mail.Count);
        }, cancellationToken: Stop).Within();
        store.Fail<SendMessage>(moment);

        Assert.Equal(SendResult.Delivered, (await manager.SendAsync(agent, new MessageSender("t1", "planner"), "look", Stop).Within()).Result);
        await manager.CancelAsync(agent, Stop).Within();

        Assert.Equal(1, (await manager.WaitAsync(agent, Stop).Within()).Result!.Value.GetInt32());
    }

    [Theory]
    [InlineData(FaultMoment.AfterCommit)]
    [InlineData(FaultMoment.AfterCommitUnseen)]
    public async Task A_restore_whose_answer_was_lost_is_answered_by_what_was_stored(FaultMoment moment)
    {
        var store = new FaultyStore(Store);
        var manager = await StartAsync(store: store);
        store.Fail<RestoreTasks>(moment);
        var task = new TaskSnapshot { TaskId = "bg_9", State = TaskState.Running, CreatedAt = DateTimeOffset.UnixEpoch };

        Assert.Equal(new RestoreResult(1, 0, 1), await manager.RestoreAsync("t1", [task], Stop).Within());
    }

    private static Func<TaskContext, Task<TaskOutcome>> Starting(Signal started) => _ =>
    {
        started.Set();
        return Task.FromResult(TaskOutcome.Success("done"));
    };

    // A second spawn of the name says that nothing holds it, and its end that the first body had every chance to start.
    private async Task Assert_nothing_was_spawned(BackgroundTaskManager manager, Signal started)
    {
        var id = await manager.SpawnAsync("t1", Bodies.Done, new SpawnOptions { Name = "worker" }, Stop).Within();
        await manager.WaitAsync(id, Stop).Within();

        Assert.Equal([id], (await manager.ListAsync("t1", Stop)).Select(static task => task.TaskId));
        Assert.False(started.IsSet, "The body ran.");
        Assert.True(Fixture.IdsMayHaveGaps || id == "bg_0", $"An id was used up: {id} came next.");
    }
}
