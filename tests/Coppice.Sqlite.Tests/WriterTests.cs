using System.Text.Json;
using Coppice.StoreContract;
using Microsoft.Data.Sqlite;

namespace Coppice.Sqlite.Tests;

/// <summary>The writer: groups, give-ups, failures of the disk, lost answers, the end.</summary>
public sealed class WriterTests : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private readonly List<SqliteTaskStore> _stores = [];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        foreach (var store in _stores)
        {
            await store.DisposeAsync();
        }

        _folder.Dispose();
    }

    [Fact]
    public async Task Commits_that_come_while_one_is_written_share_a_transaction()
    {
        var commits = 0;
        var store = await OpenAsync(new() { CommitSeam = commit => { commits++; commit(); } });
        var host = await StoreHost.JoinAsync(store);
        using var hold = new Hold();
        var first = store.CommitAsync(host.Batch(hold.Landed, StoreHost.Task()), Stop).AsTask();
        await hold.ReachedAsync();
        commits = 0;

        var others = Enumerable.Range(0, 200).Select(i => store.CommitAsync(host.Batch(StoreHost.Task(name: $"n{i % 100}")), Stop).AsTask()).ToArray();
        hold.Release();
        var results = await Task.WhenAll(others).Within();

        await first.Within();
        Assert.Equal(1, commits);
        Assert.All(results, result => Assert.Equal(200, result.GroupSize));
        Assert.Equal(100, results.Count(result => result.Status == CommitStatus.Landed));
        Assert.Equal(100, results.Count(result => result.Answers is [AddRefused { Error: SpawnError.DuplicateName }]));
        Assert.Equal(Enumerable.Range(1, 100).Select(TaskIdOf), results.Select(result => result.Answers[0]).OfType<TaskAdded>().Select(added => added.TaskId));
        var revisions = results.Where(result => result.Status == CommitStatus.Landed).Select(result => result.Revision).ToArray();
        Assert.Equal(revisions.Order(), revisions);
        Assert.Equal(100, revisions.Distinct().Count());
    }

    [Fact]
    public async Task A_group_is_marked_before_listeners_hear_and_heard_before_callers_are_answered()
    {
        var store = await OpenAsync();
        var host = await StoreHost.JoinAsync(store);
        var order = new List<string>();
        using var subscription = store.Subscribe(new RecordingListener { OnHeard = heard => order.Add(heard.What) });
        using var hold = new Hold();
        var first = store.CommitAsync(host.Batch(hold.Landed, new PostMessage("t9", new ThreadMessage("m", "t", "a", ""))), Stop).AsTask();
        await hold.ReachedAsync();
        var second = store.CommitAsync(host.Batch(_ => order.Add("landed 1"), StoreHost.Task()), Stop).AsTask();
        var third = store.CommitAsync(host.Batch(_ => order.Add("landed 2"), StoreHost.Task()), Stop).AsTask();
        hold.Release();

        await Task.WhenAll(first, second, third).Within();

        Assert.Equal(["Mail", "landed 1", "landed 2", "Change", "Change"], order);
    }

    [Fact]
    public async Task A_batch_is_given_up_until_the_writer_has_it_and_leaves_nothing()
    {
        var store = await OpenAsync();
        var host = await StoreHost.JoinAsync(store);
        using var hold = new Hold();
        var first = store.CommitAsync(host.Batch(hold.Landed, StoreHost.Task()), Stop).AsTask();
        await hold.ReachedAsync();
        using var giveUp = new CancellationTokenSource();
        var batch = host.Batch(StoreHost.Task(name: "given-up"));
        var waiting = store.CommitAsync(batch, giveUp.Token).AsTask();

        await giveUp.CancelAsync();
        var error = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.Within());

        Assert.Equal(giveUp.Token, error.CancellationToken);
        hold.Release();
        await first.Within();
        Assert.Null(await store.FindCommitAsync(batch, Stop));
        Assert.Equal("bg_1", await host.AddAsync(name: "given-up"));
    }

    [Fact]
    public async Task Once_the_writer_has_a_batch_the_token_is_ignored()
    {
        using var late = new CancellationTokenSource();
        var store = await OpenAsync(new()
        {
            CommitSeam = commit =>
            {
                late.Cancel();
                commit();
            },
        });
        var join = new MutationBatch(default, HostFence.None, DateTimeOffset.UnixEpoch, [new JoinHost("late")]);

        Assert.Equal(CommitStatus.Landed, (await store.CommitAsync(join, late.Token)).Status);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await store.CommitAsync(join, late.Token));
    }

    [Fact]
    public async Task A_full_disk_fails_commits_for_a_passing_reason_and_keeps_what_was_acknowledged()
    {
        var store = await OpenAsync(new() { MaxPageCount = 100 });
        var host = await StoreHost.JoinAsync(store);
        var ids = new List<string>();
        var error = await Assert.ThrowsAsync<TaskStoreException>(async () =>
        {
            while (true)
            {
                ids.Add(await host.AddAsync(description: new string('d', 4000)));
            }
        });

        Assert.Equal(("store_full", true, true), (error.Code, error.IsTransient, error.IsKnownNotCommitted));
        Assert.Contains("MaxPageCount", error.Message, StringComparison.Ordinal);
        Assert.IsType<SqliteException>(error.InnerException);
        Assert.NotEmpty(ids);
        Assert.Equal(ids, (await store.ListAsync(new TaskQuery(), null, 1000, Stop)).Select(task => task.TaskId));

        // What needs no room goes on; what needs some fails again, and takes no id.
        await host.OpenAsync("t1");
        await Assert.ThrowsAsync<TaskStoreException>(() => host.AddAsync(description: new string('d', 4000)));
        await store.DisposeAsync();

        var roomy = await OpenAsync();
        var (next, orphans) = await StoreHost.JoinWithOrphansAsync(roomy);
        Assert.Equal(ids, orphans);
        Assert.Equal($"bg_{ids.Count}", await next.AddAsync(description: new string('d', 4000)));
    }

    [Fact]
    public async Task A_disk_that_has_room_again_takes_commits_again()
    {
        var full = true;
        var store = await OpenAsync(new()
        {
            CommitSeam = commit =>
            {
                if (full)
                {
                    throw new SqliteException("database or disk is full", 13);
                }

                commit();
            },
        });
        var error = await Assert.ThrowsAsync<TaskStoreException>(() => StoreHost.JoinAsync(store));
        Assert.Equal(("store_full", true, true), (error.Code, error.IsTransient, error.IsKnownNotCommitted));

        full = false;

        var host = await StoreHost.JoinAsync(store);
        Assert.Equal("bg_0", await host.AddAsync());
    }

    [Fact]
    public async Task A_commit_whose_answer_was_lost_is_looked_up_before_anybody_is_answered()
    {
        var store = await OpenAsync(new()
        {
            CommitSeam = commit =>
            {
                commit();
                throw new SqliteException("disk I/O error", 10);
            },
        });

        var host = await StoreHost.JoinAsync(store);

        var batch = host.Batch(StoreHost.Task());
        Assert.Equal("bg_0", Assert.IsType<TaskAdded>(Assert.Single((await store.CommitAsync(batch, Stop)).Answers)).TaskId);
        Assert.Same(batch.Result, await store.FindCommitAsync(batch, Stop));
    }

    [Fact]
    public async Task Readers_do_not_come_to_be_by_a_commit_that_failed()
    {
        var fails = false;
        var store = await OpenAsync(new()
        {
            CommitSeam = commit =>
            {
                if (fails)
                {
                    throw new SqliteException("disk I/O error", 10);
                }

                commit();
            },
        });
        var host = await StoreHost.JoinAsync(store);
        var reader = await host.OpenAsync("t1");
        await host.AnswerAsync(new PostMessage("t1", new ThreadMessage("m", "t", "a", "hello")));
        fails = true;

        await Assert.ThrowsAsync<TaskStoreException>(() => host.CommitAsync(
            new OpenMailbox("t1", Guid.NewGuid()), new PostMessage("t1", new ThreadMessage("m", "t", "a", "lost"))));

        fails = false;
        var page = await store.ReadMailAsync("t1", reader, 0, 10, Stop);
        Assert.True(page.IsReader);
        Assert.Equal("hello", Assert.IsType<ThreadMessage>(Assert.Single(page.Items).Event).Content);
        Assert.Equal(1, store.MailDepth);
        Assert.Equal(2, Assert.IsType<MailPosted>(await host.AnswerAsync(new PostMessage("t1", new ThreadMessage("m", "t", "a", "")))).Sequence);
    }

    [Fact]
    public async Task A_commit_that_cannot_be_looked_up_is_settled_before_the_next_and_found_then()
    {
        var answersAreLost = false;
        var isUnreadable = true;
        var store = await OpenAsync(new()
        {
            SettleAttempts = 2,
            CommitSeam = commit =>
            {
                commit();
                if (answersAreLost)
                {
                    throw new SqliteException("disk I/O error", 10);
                }
            },
            SettleSeam = () =>
            {
                if (isUnreadable)
                {
                    throw new SqliteException("disk I/O error", 10);
                }
            },
        });
        var host = await StoreHost.JoinAsync(store);
        answersAreLost = true;
        var batch = host.Batch(StoreHost.Task());
        var error = await Assert.ThrowsAsync<TaskStoreException>(async () => await store.CommitAsync(batch, Stop));
        Assert.Equal((true, false), (error.IsTransient, error.IsKnownNotCommitted));

        var stillUnknown = await Assert.ThrowsAsync<TaskStoreException>(async () => await store.FindCommitAsync(batch, Stop));
        Assert.True(stillUnknown.IsTransient);
        var refused = await Assert.ThrowsAsync<TaskStoreException>(() => host.AddAsync());
        Assert.Equal((true, true), (refused.IsTransient, refused.IsKnownNotCommitted));

        (answersAreLost, isUnreadable) = (false, false);
        var found = await store.FindCommitAsync(batch, Stop);

        Assert.Equal("bg_0", Assert.IsType<TaskAdded>(Assert.Single(found!.Answers)).TaskId);
        Assert.Equal("bg_1", await host.AddAsync());
    }

    [Fact]
    public async Task A_batch_that_cannot_be_written_fails_only_its_caller()
    {
        var store = await OpenAsync();
        var host = await StoreHost.JoinAsync(store);
        using var hold = new Hold();
        var first = store.CommitAsync(host.Batch(hold.Landed, StoreHost.Task()), Stop).AsTask();
        await hold.ReachedAsync();
        var before = store.CommitAsync(host.Batch(StoreHost.Task()), Stop).AsTask();
        var bad = store.CommitAsync(host.Batch(new PostEvents("bg_0", 0, [new CustomTaskEvent("bg_0", "progress", default(JsonElement))])), Stop).AsTask();
        var after = store.CommitAsync(host.Batch(StoreHost.Task()), Stop).AsTask();
        hold.Release();

        var error = await Assert.ThrowsAsync<TaskStoreException>(() => bad.Within());

        Assert.Equal(("store_rejected", false, true), (error.Code, error.IsTransient, error.IsKnownNotCommitted));
        await first.Within();
        Assert.Equal("bg_1", Assert.IsType<TaskAdded>((await before.Within()).Answers[0]).TaskId);
        Assert.Equal("bg_2", Assert.IsType<TaskAdded>((await after.Within()).Answers[0]).TaskId);
    }

    [Fact]
    public async Task A_batch_that_fails_while_it_is_bound_does_not_spoil_the_next_of_its_kind()
    {
        var store = await OpenAsync();
        var host = await StoreHost.JoinAsync(store);
        var document = JsonDocument.Parse("1");
        var gone = document.RootElement;
        document.Dispose();
        var id = await host.AddAsync();

        var error = await Assert.ThrowsAsync<TaskStoreException>(() => host.CommitAsync(new FinishTask(id, TaskState.Completed) { Result = gone }));

        Assert.Equal("store_rejected", error.Code);
        using var good = JsonDocument.Parse("2");
        await host.AnswerAsync(new FinishTask(id, TaskState.Completed) { Result = good.RootElement });
        Assert.Equal("2", (await store.GetAsync(id, Stop))?.Result?.GetRawText());
    }

    [Fact]
    public async Task Disposing_lands_what_was_handed_in_and_refuses_what_comes_after()
    {
        var store = await OpenAsync();
        var host = await StoreHost.JoinAsync(store);
        using var hold = new Hold();
        var first = store.CommitAsync(host.Batch(hold.Landed, StoreHost.Task()), Stop).AsTask();
        await hold.ReachedAsync();
        var queued = store.CommitAsync(host.Batch(StoreHost.Task()), Stop).AsTask();

        var disposal = store.DisposeAsync().AsTask();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await store.CommitAsync(host.Batch(StoreHost.Task()), Stop));
        hold.Release();
        await disposal.Within();

        await first.Within();
        Assert.Equal(CommitStatus.Landed, (await queued.Within()).Status);
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await store.GetAsync("bg_0", Stop));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await store.HeartbeatAsync(host.Fence, Stop));
        Assert.Throws<ObjectDisposedException>(() => store.Subscribe(new RecordingListener()));
        await store.DisposeAsync();
        Assert.False(File.Exists(_folder.Store + "-wal"), "The log was not written back.");
        Assert.Equal(2, (await (await OpenAsync()).ListAsync(new TaskQuery(), null, 10, Stop)).Count);
    }

    [Fact]
    public async Task Results_are_kept_byte_for_byte_and_large_ones_too()
    {
        var store = await OpenAsync();
        var host = await StoreHost.JoinAsync(store);
        var text = """{"b":1.50,"a":[1e3, null],"z":"héllo \u00e9 \ud83d\ude00 """ + new string('x', 1_000_000) + "\"}";
        var id = await host.AddAsync(description: "größe 😀");
        using var document = JsonDocument.Parse(text);
        await host.AnswerAsync(new FinishTask(id, TaskState.Completed) { Result = document.RootElement.Clone() });

        var task = (await store.GetAsync(id, Stop))!;

        Assert.Equal(text, task.Result?.GetRawText());
        Assert.Equal("größe 😀", task.Description);
    }

    [Fact]
    public async Task Ids_past_what_can_be_counted_are_still_given_once_and_found()
    {
        var store = await OpenAsync();
        var host = await StoreHost.JoinAsync(store);
        var last = TaskIds.Format(TaskIds.MaxCounted);
        var taken = TaskIds.Format(TaskIds.MaxCounted + 1);
        TaskSnapshot Ended(string id) => new() { TaskId = id, State = TaskState.Completed, CreatedAt = DateTimeOffset.UnixEpoch };
        await host.AnswerAsync(new RestoreTasks("t1", [Ended(last), Ended(taken)]));

        var id = await host.AddAsync();

        Assert.Equal(TaskIds.Format(TaskIds.MaxCounted + 2), id);
        Assert.Equal(TaskState.Running, (await store.GetAsync(id, Stop))?.State);
        await host.FinishAsync(id);
        Assert.Equal([last, taken, id], (await store.ListAsync(new TaskQuery(), null, 10, Stop)).Select(task => task.TaskId));
    }

    private static string TaskIdOf(int number) => TaskIds.Format(number);

    private async Task<SqliteTaskStore> OpenAsync(SqliteTaskStoreOptions? options = null, string name = "coppice.db")
    {
        var store = await SqliteTaskStore.OpenAsync(Path.Combine(_folder.Root, name), options, Stop);
        _stores.Add(store);
        return store;
    }
}
