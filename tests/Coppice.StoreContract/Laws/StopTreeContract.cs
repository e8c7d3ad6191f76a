namespace Coppice.StoreContract;

/// <summary>Stopping a tree: the requests go out in one commit, and what became of each task is told truthfully.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class StopTreeContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(10);

    [Fact]
    public async Task What_ends_as_cancelled_was_stopped_and_what_ends_otherwise_finished_first()
    {
        var manager = await StartAsync();
        var root = await manager.SpawnAsync("t1", Bodies.Park, cancellationToken: Stop).Within();
        var completing = await manager.SpawnAsync("t2", static async context =>
        {
            await context.WhenCancelledAsync();
            return TaskOutcome.Success("all the same");
        }, Under(root), Stop).Within();
        var failing = await manager.SpawnAsync("t1", static async context =>
        {
            await context.WhenCancelledAsync();
            return TaskOutcome.Failure("boom");
        }, Under(completing), Stop).Within();
        var ended = await manager.SpawnAsync("t1", Bodies.Done, Under(root), Stop).Within();
        await manager.WaitAsync(ended, Stop).Within();
        var other = await manager.SpawnAsync("t1", Bodies.Park, cancellationToken: Stop).Within();

        var report = await manager.StopTreeAsync(root, Long, Stop).Within();

        Assert.Equal(
            new HashSet<StoppedTask>
            {
                new(root, StopOutcome.Stopped, TaskState.Cancelled),
                new(completing, StopOutcome.FinishedFirst, TaskState.Completed),
                new(failing, StopOutcome.FinishedFirst, TaskState.Failed),
            },
            report.Tasks.ToHashSet());
        Assert.Equal((3, 1, 2, 0), (report.Tasks.Count, report.Stopped, report.FinishedFirst, report.StillRunning));
        Assert.Equal($"tree:{root}", (await manager.GetAsync(failing, Stop))!.CancelledBy);
        Assert.Null((await manager.GetAsync(other, Stop))!.CancelRequestedAt);
    }

    [Fact]
    public async Task What_has_not_ended_when_the_time_is_over_is_still_running_and_the_request_stands()
    {
        var clock = new ManualClock();
        var manager = await StartAsync(options => options.TimeProvider = clock);
        var release = new Signal();
        var root = await manager.SpawnAsync("t1", Bodies.Park, cancellationToken: Stop).Within();
        var stubborn = await manager.SpawnAsync("t1", Bodies.Only(release), Under(root), Stop).Within();

        var stopping = manager.StopTreeAsync(root, TimeSpan.FromSeconds(30), Stop).AsTask();
        await manager.WaitAsync(root, Stop).Within();
        await PassAsync(clock, TimeSpan.FromSeconds(30), stopping);

        var report = await stopping.Within();
        Assert.Equal((1, 0, 1), (report.Stopped, report.FinishedFirst, report.StillRunning));
        Assert.Contains(new StoppedTask(stubborn, StopOutcome.StillRunning, TaskState.Running), report.Tasks);
        Assert.NotNull((await manager.GetAsync(stubborn, Stop))!.CancelRequestedAt);
        release.Set();
        await manager.WaitAsync(stubborn, Stop).Within();
    }

    [Fact]
    public async Task A_task_that_ends_within_the_time_ends_the_wait()
    {
        var manager = await StartAsync(static options => options.TimeProvider = new ManualClock());
        var release = new Signal();
        var signalled = new Signal();
        var root = await manager.SpawnAsync("t1", Stubborn(signalled, release), cancellationToken: Stop).Within();
        var stopping = manager.StopTreeAsync(root, TimeSpan.FromSeconds(1), Stop).AsTask();
        await signalled.WaitAsync();
        release.Set();

        Assert.Equal([new StoppedTask(root, StopOutcome.FinishedFirst, TaskState.Completed)], (await stopping.Within()).Tasks);
    }

    [Fact]
    public async Task Without_a_time_it_only_looks()
    {
        var manager = await StartAsync(static options => options.TimeProvider = new ManualClock());
        var release = new Signal();
        var root = await manager.SpawnAsync("t1", Bodies.Only(release), cancellationToken: Stop).Within();

        var report = await manager.StopTreeAsync(root, TimeSpan.Zero, Stop).Within();

        Assert.Equal([new StoppedTask(root, StopOutcome.StillRunning, TaskState.Running)], report.Tasks);
        release.Set();
    }

    [Fact]
    public async Task Tasks_of_another_host_are_stopped_and_told_of_too()
    {
        var manager = await StartAsync();
        var other = await StartAsync();
        var root = await manager.SpawnAsync("t1", Bodies.Park, cancellationToken: Stop).Within();
        var child = await other.SpawnAsync("t2", Bodies.Park, Under(root), Stop).Within();
        var release = new Signal();
        var stubborn = await other.SpawnAsync("t2", Bodies.Only(release), Under(child), Stop).Within();

        var stopping = manager.StopTreeAsync(root, Long, Stop).AsTask();
        await other.WaitAsync(child, Stop).Within();
        release.Set();

        Assert.Equal(
            new HashSet<StoppedTask>
            {
                new(root, StopOutcome.Stopped, TaskState.Cancelled),
                new(child, StopOutcome.Stopped, TaskState.Cancelled),
                new(stubborn, StopOutcome.FinishedFirst, TaskState.Completed),
            },
            (await stopping.Within()).Tasks.ToHashSet());
    }

    [Fact]
    public async Task Nothing_live_is_an_empty_report()
    {
        var manager = await StartAsync();
        var ended = await manager.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within();
        await manager.WaitAsync(ended, Stop).Within();

        Assert.Empty((await manager.StopTreeAsync(ended, Long, Stop).Within()).Tasks);
        Assert.Empty((await manager.StopTreeAsync("bg_99", Long, Stop).Within()).Tasks);
        Assert.Equal(0, (await manager.StopTreeAsync("no such task", TimeSpan.Zero, Stop).Within()).Stopped);
    }

    [Fact]
    public async Task A_caller_that_gives_up_waiting_leaves_the_requests_in_place()
    {
        var manager = await StartAsync();
        using var caller = new CancellationTokenSource();
        var release = new Signal();
        var root = await manager.SpawnAsync("t1", Bodies.Only(release), cancellationToken: Stop).Within();
        var signalled = new Signal();
        await manager.SpawnAsync("t1", Stubborn(signalled, release), Under(root), Stop).Within();
        var stopping = manager.StopTreeAsync(root, Long, caller.Token).AsTask();
        await signalled.WaitAsync();

        await caller.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => stopping.Within());
        Assert.All(await manager.ListAsync("t1", Stop), task => Assert.Equal((TaskState.Running, $"tree:{root}"), (task.State, task.CancelledBy)));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => manager.StopTreeAsync(root, Long, caller.Token).Within());
        release.Set();
        Assert.Equal(0, (await manager.StopTreeAsync(root, Long, Stop).Within()).StillRunning);
    }

    [Fact]
    public async Task A_request_that_the_store_refuses_is_a_fault_and_the_bodies_are_signalled_all_the_same()
    {
        var store = new FaultyStore(Store);
        var manager = await StartAsync(store: store);
        var root = await manager.SpawnAsync("t1", Bodies.Park, cancellationToken: Stop).Within();
        store.Fail<RequestCancel>(FaultMoment.KnownBeforeCommit);

        await Assert.ThrowsAsync<TaskStoreException>(() => manager.StopTreeAsync(root, Long, Stop).Within());

        Assert.Equal(TaskState.Cancelled, (await manager.WaitAsync(root, Stop).Within()).State);
    }

    [Fact]
    public async Task The_end_of_the_manager_ends_the_wait()
    {
        var manager = await StartAsync(static options => options.ShutdownGracePeriod = TimeSpan.Zero);
        var release = new Signal();
        var signalled = new Signal();
        var root = await manager.SpawnAsync("t1", Stubborn(signalled, release), cancellationToken: Stop).Within();
        var stopping = manager.StopTreeAsync(root, Long, Stop).AsTask();
        await signalled.WaitAsync();

        await manager.DisposeAsync().Within();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => stopping.Within());
        release.Set();
    }

    [Fact]
    public async Task A_time_outside_its_range_is_refused_before_any_io()
    {
        var store = new FaultyStore(Store);
        var manager = await StartAsync(store: store);
        var commits = store.Commits;

        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => manager.StopTreeAsync("bg_0", TimeSpan.FromTicks(-1), Stop).Within());
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => manager.StopTreeAsync("bg_0", Timeout.InfiniteTimeSpan, Stop).Within());
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => manager.StopTreeAsync("bg_0", TimeSpan.MaxValue, Stop).Within());
        await Assert.ThrowsAsync<ArgumentException>(() => manager.StopTreeAsync("", Long, Stop).Within());

        Assert.Equal(commits, store.Commits);
        await manager.StopTreeAsync("bg_0", TimeSpan.FromDays(49), Stop).Within();
    }

    /// <summary>Says when it is signalled, and ends when it likes.</summary>
    private static Func<TaskContext, Task<TaskOutcome>> Stubborn(Signal signalled, Signal release) => async context =>
    {
        await context.WhenCancelledAsync();
        signalled.Set();
        await release.Task;
        return TaskOutcome.Success("done");
    };

    private static SpawnOptions Under(string parent) => new() { Lineage = new TaskLineage { TaskId = parent } };

    /// <summary>Lets time pass once more whenever a timer was set after it had, until it is over.</summary>
    private static async Task PassAsync(ManualClock clock, TimeSpan time, Task over)
    {
        while (!over.IsCompleted)
        {
            var armed = clock.NextArmedAsync();
            clock.Advance(time);
            await Task.WhenAny(over, armed).Within();
        }
    }
}
