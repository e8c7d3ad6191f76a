using System.Text.Json;
using Coppice.Rows;
using Coppice.StoreContract;
using Microsoft.Data.Sqlite;

namespace Coppice.Sqlite.Tests;

/// <summary>A task that was written lately is answered from memory. It must be what the file has, at every moment.</summary>
public sealed class RecentTasksTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_is_read_is_what_the_file_has_after_every_change()
    {
        await using var store = await SqliteTaskStore.OpenAsync(_folder.Store, cancellationToken: Stop);
        var host = await StoreHost.JoinAsync(store);
        var parent = await host.AddAsync(description: "parent");
        var task = await AddAsync(StoreHost.Task("t2", "n", parent, "run", TaskState.Pending, "kind", "what it is for") with
        {
            Lineage = new TaskLineage { TaskId = parent, RunId = "run", CallId = "call", AgentId = "agent" },
        });
        await SameAsync(parent, task);
        await ThenAsync(new MoveTask(task, TaskState.Running));
        await ThenAsync(new PostEvents(task, 0, [new CustomTaskEvent(task, "e", JsonElement.Parse("1"))]));
        host.Now += TimeSpan.FromMinutes(1);
        await ThenAsync(new RequestCancel(CancelScope.Tree, parent));
        host.Now += TimeSpan.FromMinutes(1);
        await ThenAsync(new FinishTask(task, TaskState.Completed) { Result = JsonElement.Parse("""{"a": [1, 2.50, null]}""") });
        await ThenAsync(new FinishTask(parent, TaskState.Failed) { Error = "boom", CancelledBy = "user" });

        var orphan = await AddAsync(StoreHost.Task());
        await host.AnswerAsync(new LeaveHost());
        host = await StoreHost.JoinAsync(store);
        await SameAsync(parent, task, orphan);
        Assert.Equal(Orphans.Error, (await store.GetAsync(orphan, Stop))?.Error);

        async Task<string> AddAsync(AddTask add) => Assert.IsType<TaskAdded>(await host.AnswerAsync(add)).TaskId;

        async Task ThenAsync(Mutation mutation)
        {
            await host.AnswerAsync(mutation);
            await SameAsync(parent, task);
        }

        async Task SameAsync(params string[] ids)
        {
            var listed = await store.ListAsync(new TaskQuery(), null, 100, Stop);
            Assert.Equal(ids, listed.Select(snapshot => snapshot.TaskId));
            foreach (var snapshot in listed)
            {
                Assert.Equal(snapshot, await store.GetAsync(snapshot.TaskId, Stop));
            }
        }
    }

    [Theory]
    [InlineData(3)]
    [InlineData(2000)]
    public async Task What_is_read_of_work_is_what_the_file_has_after_every_change(int inputLength)
    {
        await using var store = await SqliteTaskStore.OpenAsync(_folder.Store, cancellationToken: Stop);
        var host = await StoreHost.JoinAsync(store);
        using var larger = JsonDocument.Parse($$"""[{"text": "{{new string('x', inputLength)}}"}, "more"]""");
        var id = await host.AddWorkAsync(work: work => work with
        {
            Version = 2,
            Input = larger.RootElement[0],
            Recovery = RecoveryPolicy.Idempotent,
            Priority = 3,
            DueAt = host.Now + TimeSpan.FromSeconds(1.0004),
            Deadline = host.Now + TimeSpan.FromHours(1),
            IdempotencyKey = "key",
        });
        await SameAsync();
        host.Now += TimeSpan.FromSeconds(1);
        await host.ClaimAsync(0);
        await SameAsync();
        var claimed = await host.ClaimOneAsync(new KindClaim("k") { MaxVersion = 2 });
        Assert.Equal(await SameAsync(), claimed.Task);
        await host.HandBackAsync(claimed, error: "it failed");
        await SameAsync();
        claimed = await host.ClaimOneAsync(new KindClaim("k") { MaxVersion = 2 });
        await host.AnswerAsync(new LeaveHost());
        host = new StoreHost(store, (await StoreHost.JoinAsync(store)).Fence) { Now = host.Now };
        Assert.Equal((2, 1, 1), await SameAsync() is { Work: { } work } ? (work.Attempt, work.Failures, work.Crashes) : default);
        claimed = await host.ClaimOneAsync(new KindClaim("k") { MaxVersion = 2 });
        await host.FinishAsync(claimed);
        await SameAsync();

        async Task<TaskSnapshot?> SameAsync()
        {
            var listed = Assert.Single(await store.ListAsync(new TaskQuery(), null, 100, Stop));
            Assert.Equal(listed, await store.GetAsync(id, Stop));
            Assert.Equal(larger.RootElement[0].GetRawText(), listed.Work!.Input.GetRawText());
            return listed;
        }
    }

    [Fact]
    public async Task What_the_file_shows_changed_is_never_read_as_it_was_before()
    {
        SqliteTaskStore? store = null;
        var seen = new List<(TaskState? Listed, TaskState? Got)>();
        store = await SqliteTaskStore.OpenAsync(_folder.Store, new()
        {
            CommitSeam = commit =>
            {
                Look();
                commit();
                Look();
            },
        }, Stop);
        await using var disposed = store;
        var host = await StoreHost.JoinAsync(store);
        var id = await host.AddAsync();
        Assert.NotNull(await store.GetAsync(id, Stop));
        seen.Clear();

        await host.FinishAsync(id);

        Assert.Equal([(TaskState.Running, TaskState.Running), (TaskState.Completed, TaskState.Completed)], seen);

        // Called by the writer, before its caller goes on.
        void Look()
        {
            var listed = store?.ListAsync(new TaskQuery(), null, 100, Stop);
            var got = store?.GetAsync("bg_0", Stop);
            seen.Add((listed?.Result is [var first] ? first.State : null, got?.Result?.State));
        }
    }

    [Fact]
    public async Task A_change_that_failed_is_not_read()
    {
        var fails = false;
        await using var store = await SqliteTaskStore.OpenAsync(_folder.Store, new()
        {
            CommitSeam = commit =>
            {
                if (fails)
                {
                    throw new SqliteException("disk I/O error", 10);
                }

                commit();
            },
        }, Stop);
        var host = await StoreHost.JoinAsync(store);
        var id = await host.AddAsync();
        fails = true;
        await Assert.ThrowsAsync<TaskStoreException>(() => host.FinishAsync(id));
        await Assert.ThrowsAsync<TaskStoreException>(() => host.AddAsync(description: "failed"));
        fails = false;

        Assert.Equal(TaskState.Running, (await store.GetAsync(id, Stop))?.State);
        Assert.Null(await store.GetAsync("bg_1", Stop));
        await host.AddAsync(description: "landed");
        Assert.Equal("landed", (await store.GetAsync("bg_1", Stop))?.Description);
        await host.FinishAsync(id);
        Assert.Equal(TaskState.Completed, (await store.GetAsync(id, Stop))?.State);
    }

    [Fact]
    public async Task What_a_refused_batch_had_begun_is_not_read()
    {
        await using var store = await SqliteTaskStore.OpenAsync(_folder.Store, cancellationToken: Stop);
        var host = await StoreHost.JoinAsync(store);
        var id = await host.AddAsync();

        var result = await host.CommitAsync(
            new MoveTask(id, TaskState.InputRequired), StoreHost.Task(name: "n", description: "first"), StoreHost.Task(name: "n", description: "second"));

        Assert.Equal(CommitStatus.Refused, result.Status);
        Assert.Equal(TaskState.Running, (await store.GetAsync(id, Stop))?.State);
        Assert.Null(await store.GetAsync("bg_1", Stop));
        await host.AddAsync(name: "n", description: "third");
        Assert.Equal("third", (await store.GetAsync("bg_1", Stop))?.Description);
    }

    [Fact]
    public async Task A_task_that_was_pruned_is_gone()
    {
        await using var store = await SqliteTaskStore.OpenAsync(_folder.Store, cancellationToken: Stop);
        var host = await StoreHost.JoinAsync(store);
        var (ended, live) = (await host.AddAsync(), await host.AddAsync());
        await host.FinishAsync(ended);
        Assert.NotNull(await store.GetAsync(ended, Stop));

        await host.AnswerAsync(new PruneTasks(host.Now + TimeSpan.FromDays(1)));

        Assert.Null(await store.GetAsync(ended, Stop));
        Assert.NotNull(await store.GetAsync(live, Stop));
    }

    [Fact]
    public void Only_a_fixed_number_of_short_tasks_is_kept()
    {
        const int Many = 10_000;
        var recent = new RecentTasks(new CommittedTasks());
        for (var number = 0; number < Many; number++)
        {
            var text = new string('d', number % 2 * 2000);
            var work = new TaskWork { Kind = "k", Input = JsonElement.Parse($"\"{text}\"") };
            recent.Stage(number, new TaskSnapshot
            {
                TaskId = TaskIds.Format(number),
                Description = number % 3 == 0 ? text : "",
                Work = number % 3 == 1 ? work : work with { Input = JsonElement.Parse("1"), LastError = text },
            });
        }

        recent.Withdraw();
        recent.Publish();

        var kept = Enumerable.Range(0, Many).Where(number => recent.FindCommitted(TaskIds.Format(number)) is not null).ToList();
        Assert.InRange(kept.Count, 1, 2048);
        Assert.All(kept, number => Assert.True(number % 2 == 0 && number >= Many - 2048, $"{number} is neither recent nor short."));
        Assert.Null(recent.FindCommitted("bg_01"));
        Assert.Null(recent.FindCommitted("elsewhere"));
    }
}
