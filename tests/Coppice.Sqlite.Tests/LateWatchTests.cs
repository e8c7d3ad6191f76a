using Coppice.StoreContract;
using Microsoft.Data.Sqlite;

namespace Coppice.Sqlite.Tests;

/// <summary>Whoever begins to watch while a group is written, and still reads what was before, hears what the group changed.</summary>
public sealed class LateWatchTests : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private readonly RecordingListener _listener = new() { WantsChanges = false };
    private SqliteTaskStore? _store;
    private Action<Action>? _atCommit;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        if (_store is not null)
        {
            await _store.DisposeAsync();
        }

        _folder.Dispose();
    }

    [Fact]
    public async Task A_watch_that_begins_between_the_writing_and_the_commit_hears_of_it()
    {
        var (store, host) = await OpenAsync();
        var id = await host.AddAsync();
        Task<TaskSnapshot?>? read = null;
        _atCommit = commit =>
        {
            _listener.WantsChanges = true;
            read = store.GetAsync(id, Stop).AsTask();
            Assert.True(read.IsCompleted, "A store in a file reads at once.");
            commit();
        };

        var result = await host.CommitAsync(StoreHost.Finish(id));

        Assert.Equal(TaskState.Running, (await read!)?.State);
        var change = Assert.Single(_listener.Changes());
        Assert.Equal((TaskChangeKind.Ended, result.Revision), (change.Kind, change.Revision));
        Assert.Equal(await store.GetAsync(id, Stop), change.Task);
    }

    [Fact]
    public async Task It_hears_each_change_in_order_with_the_task_right_after_it()
    {
        var (_, host) = await OpenAsync();
        var id = await host.AddAsync(state: TaskState.Pending);
        WatchAtCommit();

        var result = await host.CommitAsync(
            new MoveTask(id, TaskState.Running),
            new PostEvents(id, 0, [Mailbag.Progress(id, 0)]),
            new RequestCancel(CancelScope.Task, id),
            StoreHost.Task(name: "other"));

        var changes = _listener.Changes();
        Assert.Equal(
            [TaskChangeKind.Moved, TaskChangeKind.Emitted, TaskChangeKind.CancelRequested, TaskChangeKind.Spawned],
            changes.Select(static change => change.Kind));
        Assert.All(changes, change => Assert.Equal(result.Revision, change.Revision));
        Assert.Equal(Mailbag.Progress(id, 0), changes[1].Event);
        Assert.Null(changes[0].Task.CancelRequestedAt);
        Assert.NotNull(changes[2].Task.CancelRequestedAt);
        Assert.Equal("other", changes[3].Task.Name);
    }

    [Fact]
    public async Task Of_a_task_that_is_not_in_memory_it_is_told_what_the_file_has()
    {
        var (store, host) = await OpenAsync();
        var id = await host.AddAsync(state: TaskState.Pending, description: new string('d', 4000));
        WatchAtCommit();

        await host.AnswerAsync(new MoveTask(id, TaskState.Running));

        Assert.Equal(await store.GetAsync(id, Stop), Assert.Single(_listener.Changes()).Task);
    }

    [Fact]
    public async Task Batches_that_share_its_transaction_are_told_in_the_order_of_revisions()
    {
        var (store, host) = await OpenAsync();
        using var hold = new Hold();
        var first = store.CommitAsync(host.Batch(hold.Landed, StoreHost.Task()), Stop).AsTask();
        await hold.ReachedAsync();
        var ends = Enumerable.Range(0, 20).Select(i => store.CommitAsync(
            host.Batch(StoreHost.Task(name: $"n{i}", description: i % 2 == 0 ? "" : new string('d', 2000))), Stop).AsTask()).ToArray();
        WatchAtCommit();
        hold.Release();

        var results = await Task.WhenAll(ends).Within();

        await first.Within();
        Assert.All(results, result => Assert.Equal(20, result.GroupSize));
        Assert.Equal(
            results.Select(result => (result.Revision, ((TaskAdded)result.Answers[0]).TaskId)),
            _listener.Changes().Where(change => change.Task.Name is not null).Select(change => (change.Revision, change.Task.TaskId)));
    }

    [Fact]
    public async Task It_hears_the_end_of_a_task_that_is_pruned_in_the_same_transaction()
    {
        var (store, host) = await OpenAsync();
        var id = await host.AddAsync(description: new string('d', 4000));
        WatchAtCommit();

        await host.CommitAsync(StoreHost.Finish(id), new PruneTasks(host.Now.AddDays(1)));

        Assert.Null(await store.GetAsync(id, Stop));
        var change = Assert.Single(_listener.Changes());
        Assert.Equal((TaskChangeKind.Ended, TaskState.Completed, id), (change.Kind, change.Task.State, change.Task.TaskId));
    }

    [Fact]
    public async Task It_hears_nothing_of_a_batch_that_was_taken_back()
    {
        var (_, host) = await OpenAsync();
        var id = await host.AddAsync();
        WatchAtCommit();

        await host.CommitAsync(StoreHost.Finish(id), StoreHost.Finish(id));
        await host.AddAsync();

        Assert.Equal(["bg_1"], _listener.Changes().Select(static change => change.Task.TaskId));
    }

    [Fact]
    public async Task It_hears_nothing_of_a_commit_that_failed()
    {
        var (_, host) = await OpenAsync();
        var id = await host.AddAsync();
        _atCommit = _ => throw new SqliteException("disk I/O error", 10);
        await Assert.ThrowsAsync<TaskStoreException>(() => host.FinishAsync(id));
        WatchAtCommit();

        await host.AddAsync();

        Assert.Equal(["bg_1"], _listener.Changes().Select(static change => change.Task.TaskId));
    }

    [Fact]
    public async Task It_hears_of_a_commit_whose_answer_was_lost()
    {
        var (store, host) = await OpenAsync();
        var id = await host.AddAsync(description: new string('d', 4000));
        _atCommit = commit =>
        {
            _listener.WantsChanges = true;
            commit();
            throw new SqliteException("disk I/O error", 10);
        };

        await host.FinishAsync(id);

        Assert.Equal(await store.GetAsync(id, Stop), Assert.Single(_listener.Changes()).Task);
    }

    [Fact]
    public async Task A_task_that_cannot_be_read_for_it_holds_up_nobody()
    {
        var (_, host) = await OpenAsync();
        var id = await host.AddAsync(description: new string('d', 4000));
        _atCommit = commit =>
        {
            _listener.WantsChanges = true;
            commit();
            using var vandal = new Connection(_folder.Store, SqliteOpenMode.ReadWrite, TimeSpan.FromSeconds(1));
            vandal.Execute("UPDATE tasks SET result = '{'");
        };
        await host.FinishAsync(id);
        _atCommit = null;

        await host.AddAsync();

        Assert.Equal(["bg_1"], _listener.Changes().Select(static change => change.Task.TaskId));
    }

    private void WatchAtCommit() => _atCommit = commit =>
    {
        _listener.WantsChanges = true;
        commit();
    };

    private async Task<(SqliteTaskStore Store, StoreHost Host)> OpenAsync()
    {
        _store = await SqliteTaskStore.OpenAsync(_folder.Store, new()
        {
            CommitSeam = commit =>
            {
                if (_atCommit is { } now)
                {
                    now(commit);
                }
                else
                {
                    commit();
                }
            },
        }, Stop);
        _store.Subscribe(_listener);
        return (_store, await StoreHost.JoinAsync(_store));
    }
}
