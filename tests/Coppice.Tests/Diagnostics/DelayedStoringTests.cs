using Coppice.StoreContract;
using Coppice.Testing;
using Microsoft.Extensions.Logging;

namespace Coppice.Tests.Diagnostics;

/// <summary>What is said while the store does not take what a task has come to.</summary>
public sealed class DelayedStoringTests : IAsyncDisposable
{
    private readonly InMemoryTaskStore _inner = new();
    private readonly WatchedLog _log = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _inner.DisposeAsync();
        _log.Dispose();
    }

    [Fact]
    public async Task It_is_said_what_could_not_be_stored()
    {
        var store = new FaultyStore(_inner);
        var kind = new TaskKind<string, string>("work")
        {
            Recovery = RecoveryPolicy.Resumable, HasInbox = true, Retry = new RetryPolicy { MaxRetryAttempts = 1, Delay = TimeSpan.Zero },
        };
        var options = new BackgroundTaskOptions { LoggerFactory = _log, ShutdownGracePeriod = TimeSpan.FromSeconds(10) };
        var closed = store.Hold<CloseAgentInbox>(FaultMoment.BeforeCommit);
        var closedLater = store.Hold<CloseAgentInbox>(FaultMoment.BeforeCommit);
        options.Tasks.Add(kind, async (_, context) =>
        {
            await context.StepAsync("a", static _ => Task.CompletedTask);
            await context.State.SetAsync(1);
            if (context.Attempt == 1)
            {
                throw new IOException("once more");
            }

            context.Agent!.CloseInbox();
            await closed.Reached.Task;
            closed.Release(new TaskStoreException("away", isTransient: true));
            await closedLater.Reached.Task;
            closedLater.Release();
            return "";
        });
        await using var manager = await BackgroundTaskManager.StartAsync(store, options, Stop);
        store.Fail<StoreStep>(FaultMoment.KnownBeforeCommit, times: 2);
        store.Fail<StoreCheckpoint>(FaultMoment.KnownBeforeCommit);
        store.Fail<HandBackWork>(FaultMoment.KnownBeforeCommit);
        store.Fail<FinishTask>(FaultMoment.KnownBeforeCommit);

        var task = await manager.SpawnAsync(kind, "t1", "", cancellationToken: Stop).AsTask().Within();
        await task.ResultAsync(Stop).Within();

        var said = _log.Of(2003);
        Assert.Equal(
            ["checkpoint 1", "close_inbox 1", "completion 1", "hand_back 1", "step 1", "step 2"],
            said.Select(static message => $"{message.Fields["Operation"]} {message.Fields["Attempt"]}").Order(StringComparer.Ordinal));
        Assert.All(said, message => Assert.Equal((task.Id, LogLevel.Warning), (message.Fields["TaskId"], message.Level)));
        Assert.StartsWith($"The step of task {task.Id} could not be stored", said[0].Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_end_that_the_shutdown_does_not_wait_for_is_said_to_be_one()
    {
        var store = new FaultyStore(_inner);
        var failing = store.Fail<FinishTask>(FaultMoment.KnownBeforeCommit, times: int.MaxValue);
        var options = new BackgroundTaskOptions { LoggerFactory = _log, ShutdownGracePeriod = TimeSpan.Zero };
        var manager = await BackgroundTaskManager.StartAsync(store, options, Stop);
        await manager.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop);
        await failing.Reached.WaitAsync();

        await manager.DisposeAsync().Within();

        Assert.All(_log.Of(2003), static message => Assert.Equal("completion", message.Fields["Operation"]));
    }

    [Fact]
    public async Task A_mailbox_that_nobody_opened_is_said_to_be_closed_late_by_its_thread()
    {
        var store = new FaultyStore(_inner);
        var clock = new ManualClock();
        var options = new BackgroundTaskOptions { LoggerFactory = _log, TimeProvider = clock };
        await using var manager = await BackgroundTaskManager.StartAsync(store, options, Stop);
        store.Fail<OpenMailbox>(FaultMoment.AfterCommitUnseen);
        store.FailLookups(6);
        store.Fail<CloseMailbox>(FaultMoment.KnownBeforeCommit);
        var failing = store.Fail<CloseMailbox>(FaultMoment.KnownBeforeCommit);

        var opening = manager.OpenInboxAsync("t1", Stop).AsTask();
        await clock.RunUntilAsync(store, failing.Reached.Task);
        await Assert.ThrowsAsync<TaskStoreException>(() => opening);

        await manager.DisposeAsync().Within();
        Assert.Empty(_log.Of(2003));
        Assert.Equal(["t1", "t1"], _log.Of(3003).Select(static message => message.Fields["ThreadId"]));
    }
}
