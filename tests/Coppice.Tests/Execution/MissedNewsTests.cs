using Coppice.StoreContract;

namespace Coppice.Tests.Execution;

/// <summary>What a manager does when the store says that it may not have told everything: another process has the news, and it was lost.</summary>
public sealed class MissedNewsTests : IAsyncLifetime
{
    private readonly InMemoryTaskStore _store = new();
    private readonly List<BackgroundTaskManager> _managers = [];
    private ITaskStoreListener _listener = null!;
    private BackgroundTaskManager _deaf = null!;
    private BackgroundTaskManager _other = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var deafStore = new FaultyStore(_store)
        {
            Hears = listener =>
            {
                _listener = listener;
                return new RecordingListener { WantsChanges = false };
            },
        };
        _deaf = await StartAsync(deafStore);
        _other = await StartAsync(_store);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var manager in _managers)
        {
            await manager.DisposeAsync();
        }

        await _store.DisposeAsync();
    }

    [Fact]
    public async Task A_wait_looks_again_when_ends_may_have_been_missed()
    {
        var end = new Signal();
        var id = await _other.SpawnAsync("t1", Bodies.Until(end), cancellationToken: Stop).Within();
        var waiting = _deaf.WaitAsync(id, Stop);
        _listener.OnEndsMissed();
        Assert.False(waiting.IsCompleted);
        end.Set();
        await _other.WaitAsync(id, Stop).Within();

        // Until the look that the first call asked for is over, another may be the one that finds it.
        while (!waiting.IsCompleted)
        {
            _listener.OnEndsMissed();
            await Task.Yield();
        }

        Assert.Equal(TaskState.Completed, (await waiting.Within()).State);
    }

    [Fact]
    public async Task A_watch_ends_when_changes_were_missed_and_the_next_begins_anew()
    {
        await using var watch = _deaf.WatchAsync(null, Stop).GetAsyncEnumerator(Stop);
        var next = watch.MoveNextAsync().AsTask();

        _listener.OnChangesMissed();

        var error = await Assert.ThrowsAsync<WatchOverrunException>(() => next.Within());
        Assert.Equal("watch_overrun", error.Code);
        await using var another = _deaf.WatchAsync(null, Stop).GetAsyncEnumerator(Stop);
        var change = another.MoveNextAsync().AsTask();
        _listener.OnChange(new TaskChange(1, TaskChangeKind.Moved, new TaskSnapshot { TaskId = "bg_1", OwnerThreadId = "t1", Type = "task" }));
        Assert.True(await change.Within());
    }

    [Fact]
    public async Task A_manager_handles_unread_mail_where_somebody_is_called_for_it_and_until_it_is_disposed()
    {
        Assert.False(_listener.HandlesUnreadMail);
        ITaskStoreListener? listener = null;
        var store = new FaultyStore(_store) { Hears = subscribing => listener = subscribing };
        var manager = await StartAsync(store, static (_, _) => ValueTask.CompletedTask);
        Assert.True(listener!.HandlesUnreadMail);

        await manager.DisposeAsync().AsTask().Within();

        Assert.False(listener.HandlesUnreadMail);
    }

    private async Task<BackgroundTaskManager> StartAsync(ITaskStore store, Func<string, CancellationToken, ValueTask>? onUnreadMail = null)
    {
        _managers.Add(await BackgroundTaskManager.StartAsync(
            store, new BackgroundTaskOptions { HostTimeout = TimeSpan.FromHours(1), ShutdownGracePeriod = TimeSpan.Zero, OnUnreadMail = onUnreadMail }, Stop).Within());
        return _managers[^1];
    }
}
