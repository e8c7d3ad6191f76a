using Coppice.StoreContract;
using Coppice.Testing;

namespace Coppice.Tests.Execution;

/// <summary>Who waits for a task of its own process reads it once, when it has ended, and is woken whatever becomes of it.</summary>
public sealed class WaitingHereTests : IAsyncLifetime
{
    private readonly ManualClock _clock = new();
    private readonly InMemoryTaskStore _inner = new();
    private readonly List<BackgroundTaskManager> _managers = [];
    private readonly FaultyStore _store;
    private ITaskStoreListener _listener = null!;

    public WaitingHereTests() => _store = new FaultyStore(_inner) { Hears = Hear };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Gets or sets whether the manager hears what is committed.</summary>
    private bool IsDeaf { get; set; }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (var manager in _managers)
        {
            await manager.DisposeAsync();
        }

        await _inner.DisposeAsync();
    }

    [Fact]
    public async Task A_task_that_runs_here_is_read_once_by_each_who_waits_for_it()
    {
        var manager = await StartAsync();
        var end = new Signal();
        var id = await manager.SpawnAsync("t1", Bodies.Only(end), cancellationToken: Stop).Within();

        var first = manager.WaitAsync(id, Stop);
        var second = manager.WaitAsync(id, Stop);
        Assert.Equal(0, _store.Reads);
        end.Set();

        Assert.Equal(TaskState.Completed, (await first.Within()).State);
        Assert.Equal(TaskState.Completed, (await second.Within()).State);
        Assert.Equal(2, _store.Reads);
    }

    [Fact]
    public async Task Who_begins_to_wait_between_the_end_of_a_task_and_its_leaving_is_woken_too()
    {
        var manager = await StartAsync();
        var end = new Signal();
        var id = await manager.SpawnAsync("t1", Bodies.Only(end), cancellationToken: Stop).Within();
        var answer = _store.Hold<FinishTask>(FaultMoment.AfterCommit);
        end.Set();
        await answer.Reached.WaitAsync();

        var waiting = manager.WaitAsync(id, Stop);
        answer.Release();

        Assert.Equal(TaskState.Completed, (await waiting.Within()).State);
        Assert.Equal(1, _store.Reads);
    }

    [Fact]
    public async Task Who_waits_for_a_task_while_it_ends_is_answered_however_the_two_meet()
    {
        var manager = await StartAsync();
        for (var i = 0; i < 2_000; i++)
        {
            var id = await manager.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within();

            Assert.Equal(TaskState.Completed, (await manager.WaitAsync(id, Stop).Within()).State);
        }

        Assert.Equal(2_000, _store.Reads);
    }

    [Fact]
    public async Task A_typed_handle_waits_the_same_way()
    {
        var (begun, end) = (new Signal(), new Signal());
        var kind = new TaskKind<string, string>("work");
        var manager = await StartAsync(options => options.Tasks.Add(kind, async (input, _) =>
        {
            begun.Set();
            await end.Task;
            return input;
        }));
        var handle = await manager.SpawnAsync(kind, "t1", "done", cancellationToken: Stop).Within();
        await begun.WaitAsync();
        var before = _store.Reads;

        var result = handle.ResultAsync(Stop);
        end.Set();

        Assert.Equal("done", await result.Within());
        Assert.Equal(1, _store.Reads - before);
    }

    [Fact]
    public async Task Who_waits_for_work_that_is_handed_back_goes_on_to_its_end()
    {
        var (begun, fails) = (new Signal(), new Signal());
        var kind = new TaskKind<string, string>("work") { Retry = new RetryPolicy { MaxRetryAttempts = 2, Delay = TimeSpan.FromSeconds(1), UseJitter = false } };
        var manager = await StartAsync(options => options.Tasks.Add(kind, async (_, context) =>
        {
            begun.Set();
            await fails.Task;
            return context.Attempt > 1 ? "second" : throw new InvalidOperationException("first");
        }));
        var handle = await manager.SpawnAsync(kind, "t1", "", cancellationToken: Stop).Within();
        await begun.WaitAsync();

        var result = handle.ResultAsync(Stop);
        fails.Set();
        await manager.UntilAsync(handle.Id, static task => task.State == TaskState.Pending);
        await _clock.UntilArmedAsync(TimeSpan.FromSeconds(1));
        Assert.False(result.IsCompleted);
        _clock.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal("second", await result.Within());
    }

    [Fact]
    public async Task Who_waits_is_told_of_the_end_of_a_body_that_goes_on_after_its_host_was_given_up()
    {
        var manager = await StartAsync();
        var end = new Signal();
        var id = await manager.SpawnAsync("t1", Bodies.Only(end), cancellationToken: Stop).Within();
        var before = manager.WaitAsync(id, Stop);

        await GiveUpAsync();

        Assert.Equal((TaskState.Failed, Orphans.Error), await EndOfAsync(before));
        Assert.Equal((TaskState.Failed, Orphans.Error), await EndOfAsync(manager.WaitAsync(id, Stop)));
        end.Set();
    }

    [Fact]
    public async Task Who_waits_looks_when_this_host_learns_that_it_was_given_up_though_nobody_tells_of_the_end()
    {
        IsDeaf = true;
        var manager = await StartAsync();
        var end = new Signal();
        var id = await manager.SpawnAsync("t1", Bodies.Only(end), cancellationToken: Stop).Within();
        var fence = await GiveUpAsync();
        var waiting = manager.WaitAsync(id, Stop);
        Assert.False(waiting.IsCompleted);

        _listener.OnHostFenced(fence);

        Assert.Equal((TaskState.Failed, Orphans.Error), await EndOfAsync(waiting));
        end.Set();
    }

    [Fact]
    public async Task Who_waits_for_a_body_whose_host_was_given_up_looks_again_when_ends_may_have_been_missed()
    {
        IsDeaf = true;
        var manager = await StartAsync();
        var end = new Signal();
        var id = await manager.SpawnAsync("t1", Bodies.Only(end), cancellationToken: Stop).Within();
        _listener.OnHostFenced(Assert.Single(await _inner.HeartbeatAsync(HostFence.None, Stop)).Fence);

        // It reads the task, which nobody has ended yet.
        var waiting = manager.WaitAsync(id, Stop);
        Assert.Equal(1, _store.Reads);
        await GiveUpAsync();
        Assert.False(waiting.IsCompleted);
        _listener.OnEndsMissed();

        Assert.Equal((TaskState.Failed, Orphans.Error), await EndOfAsync(waiting));
        end.Set();
    }

    [Fact]
    public async Task Who_waits_for_a_body_that_outlives_the_manager_is_told_that_it_is_gone()
    {
        var manager = await StartAsync();
        var end = new Signal();
        var id = await manager.SpawnAsync("t1", Bodies.Only(end), cancellationToken: Stop).Within();
        _store.Hold<LeaveHost>(FaultMoment.BeforeCommit);
        var waiting = manager.WaitAsync(id, Stop);

        // The store does not answer that the host leaves, and is waited for once more when it closes.
        var closing = manager.DisposeAsync().AsTask();
        for (var i = 0; i < 2; i++)
        {
            await _clock.UntilArmedAsync(TimeSpan.FromSeconds(5));
            _clock.Advance(TimeSpan.FromSeconds(5));
        }

        await closing.Within();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting.Within());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => manager.WaitAsync(id, Stop).Within());
        end.Set();
    }

    [Fact]
    public async Task A_stop_reads_each_task_once_that_ends_in_time_and_those_that_do_not_when_the_grace_is_over()
    {
        var manager = await StartAsync();
        var end = new Signal();
        var parent = await manager.SpawnAsync("t1", Bodies.Park, cancellationToken: Stop).Within();
        var child = await manager.SpawnAsync(
            "t1", Bodies.Only(end), new SpawnOptions { Lineage = new TaskLineage { TaskId = parent } }, Stop).Within();

        var stopping = manager.StopTreeAsync(parent, TimeSpan.FromMinutes(1), Stop).AsTask();
        await manager.WaitAsync(parent, Stop).Within();
        await _clock.UntilArmedAsync(TimeSpan.FromMinutes(1));
        _clock.Advance(TimeSpan.FromMinutes(1));

        var report = await stopping.Within();
        Assert.Equal([(parent, StopOutcome.Stopped), (child, StopOutcome.StillRunning)], report.Tasks.Select(static task => (task.TaskId, task.Outcome)));
        Assert.Equal(3, _store.Reads);
        end.Set();
    }

    private static async Task<(TaskState State, string? Error)> EndOfAsync(Task<TaskSnapshot> waiting)
    {
        var task = await waiting.Within();
        return (task.State, task.Error);
    }

    private ITaskStoreListener Hear(ITaskStoreListener listener)
    {
        _listener = listener;
        return IsDeaf ? new RecordingListener { WantsChanges = false } : listener;
    }

    /// <summary>Another host takes the manager's for dead.</summary>
    private async Task<HostFence> GiveUpAsync()
    {
        var given = Assert.Single(await _inner.HeartbeatAsync(HostFence.None, Stop)).Fence;
        await (await StoreHost.JoinAsync(_inner, "reaper")).AnswerAsync(new SettleHost(given));
        return given;
    }

    private async Task<BackgroundTaskManager> StartAsync(Action<BackgroundTaskOptions>? configure = null)
    {
        var options = new BackgroundTaskOptions { TimeProvider = _clock, HostTimeout = TimeSpan.FromDays(1), ShutdownGracePeriod = TimeSpan.Zero };
        configure?.Invoke(options);
        _managers.Add(await BackgroundTaskManager.StartAsync(_store, options, Stop).Within());
        return _managers[^1];
    }
}
