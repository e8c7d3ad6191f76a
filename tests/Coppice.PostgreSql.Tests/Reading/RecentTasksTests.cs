using System.Diagnostics;
using System.Text.Json;
using Coppice.PostgreSql.Tests.Support;
using Coppice.StoreContract;
using Coppice.Testing;

namespace Coppice.PostgreSql.Tests.Reading;

/// <summary>A task that this process has ended is read for a moment from memory. It must be what the database has, whatever other hosts did to it.</summary>
public sealed class RecentTasksTests : IAsyncLifetime
{
    private static readonly TimeSpan Moment = TimeSpan.FromSeconds(1);

    private readonly ManualClock _clock = new();
    private ScratchSchema _schema = null!;
    private PostgreSqlTaskStore _store = null!;
    private PostgreSqlTaskStore _elsewhere = null!;
    private StoreHost _host = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _schema = await SchemaPool.TakeAsync();
        _store = await OpenAsync();
        _elsewhere = await OpenAsync();
        _host = await StoreHost.JoinAsync(_store);
    }

    public async ValueTask DisposeAsync()
    {
        await _elsewhere.DisposeAsync();
        await _store.DisposeAsync();
        await SchemaPool.GiveBackAsync(_schema);
    }

    [Fact]
    public async Task Who_has_heard_of_an_end_reads_the_task_without_asking_the_database()
    {
        var id = await _host.AddAsync();
        Assert.False(await IsAtHandAsync(id));

        await _host.FinishAsync(id);

        Assert.True(await IsAtHandAsync(id));
        Assert.Equal(await _elsewhere.GetAsync(id, Stop), await _store.GetAsync(id, Stop));
    }

    [Fact]
    public async Task What_is_read_is_what_the_database_has_after_every_change()
    {
        var parent = await _host.AddAsync(description: "parent");
        var task = await AddAsync(StoreHost.Task("t2", "n", parent, "run", description: "what it is for") with
        {
            Lineage = new TaskLineage { TaskId = parent, RunId = "run", CallId = "call", AgentId = "agent" },
            AgentThreadId = "agent-thread",
            AgentReader = Guid.NewGuid(),
        });
        await SameAsync();
        await ThenAsync(new MoveTask(task, TaskState.InputRequired));
        await ThenAsync(new MoveTask(task, TaskState.Running));
        await ThenAsync(new PostEvents(task, 0, [new CustomTaskEvent(task, "e", JsonElement.Parse("1"))]));
        _host.Now += TimeSpan.FromMinutes(1);
        await ThenAsync(new RequestCancel(CancelScope.Tree, parent));
        _host.Now += TimeSpan.FromMinutes(1);
        await ThenAsync(new FinishTask(task, TaskState.Completed) { Result = JsonElement.Parse("""{"a": [1, 2.50, null]}""") });
        Assert.True(await IsAtHandAsync(task));
        await ThenAsync(new FinishTask(parent, TaskState.Failed) { Error = "boom", CancelledBy = "user" });
        Assert.True(await IsAtHandAsync(parent));

        async Task<string> AddAsync(AddTask add) => Assert.IsType<TaskAdded>(await _host.AnswerAsync(add)).TaskId;

        async Task ThenAsync(Mutation mutation)
        {
            await _host.AnswerAsync(mutation);
            await SameAsync();
        }

        async Task SameAsync()
        {
            var listed = await _elsewhere.ListAsync(new TaskQuery(), null, 100, Stop);
            Assert.Equal([parent, task], listed.Select(static snapshot => snapshot.TaskId));
            foreach (var snapshot in listed)
            {
                Assert.Equal(snapshot, await _store.GetAsync(snapshot.TaskId, Stop));
            }
        }
    }

    [Fact]
    public async Task A_cancel_of_another_host_is_in_the_task_when_it_ends_here()
    {
        var id = await _host.AddAsync();
        var other = await StoreHost.JoinAsync(_elsewhere, "other");
        other.Now = _host.Now + TimeSpan.FromSeconds(3);
        await other.AnswerAsync(new RequestCancel(CancelScope.Task, id));

        await _host.FinishAsync(id, TaskState.Cancelled);

        var ended = await _store.GetAsync(id, Stop);
        Assert.Equal((TaskState.Cancelled, (DateTimeOffset?)other.Now, "user"), (ended!.State, ended.CancelRequestedAt, ended.CancelledBy));
        Assert.Equal(await _elsewhere.GetAsync(id, Stop), ended);
    }

    [Fact]
    public async Task What_is_remembered_counts_for_nothing_where_the_database_says_otherwise()
    {
        await using var group = await GroupFixture.CreateAsync();
        var id = group.Add(new AddTask { OwnerThreadId = "t1", Type = "t", Description = "stored" });
        Assert.True(TaskIds.TryParse(id, out var number));
        var known = group.Memory.Tasks.Find(id)!;
        TaskSnapshot[] stale =
        [
            known with { State = TaskState.InputRequired, Description = "stale" },
            known with { CancelRequestedAt = DateTimeOffset.UnixEpoch, Description = "stale" },
            known with { Work = new TaskWork { Kind = "k" }, Description = "stale" },
            known,
        ];
        for (var i = 0; i < stale.Length; i++)
        {
            group.Memory.Tasks.Put(number, stale[i]);
            group.Write(new PostEvents(id, i, [new CustomTaskEvent(id, "e", JsonElement.Parse("1"))]));

            var told = Assert.Single(group.Told, static entry => entry.Notice is null);
            Assert.Equal(stale[i] == known ? known : null, told.Task);
        }

        group.Memory.Tasks.Put(number, stale[0]);

        group.Write(new FinishTask(id, TaskState.Completed));

        Assert.Null(group.Memory.Tasks.Find(id));
    }

    [Fact]
    public async Task A_live_task_is_read_from_the_database_where_others_may_have_changed_it()
    {
        var id = await _host.AddAsync();
        var other = await StoreHost.JoinAsync(_elsewhere, "other");

        await other.AnswerAsync(new RequestCancel(CancelScope.Task, id));

        Assert.NotNull((await _store.GetAsync(id, Stop))!.CancelRequestedAt);
    }

    [Fact]
    public async Task A_task_that_was_pruned_here_is_gone_at_once()
    {
        var (ended, live) = (await _host.AddAsync(), await _host.AddAsync());
        await _host.FinishAsync(ended);
        Assert.True(await IsAtHandAsync(ended));

        await _host.AnswerAsync(new PruneTasks(_host.Now + TimeSpan.FromDays(1)));

        Assert.Null(await _store.GetAsync(ended, Stop));
        Assert.NotNull(await _store.GetAsync(live, Stop));
    }

    [Fact]
    public async Task A_task_that_another_host_has_pruned_is_gone_a_moment_after_its_end_at_the_latest()
    {
        var ended = await _host.AddAsync();
        await _host.FinishAsync(ended);
        var other = await StoreHost.JoinAsync(_elsewhere, "other");
        await other.AnswerAsync(new PruneTasks(_host.Now + TimeSpan.FromDays(1)));

        Assert.Null(await _elsewhere.GetAsync(ended, Stop));
        _clock.Advance(Moment + TimeSpan.FromMilliseconds(1));

        Assert.Null(await _store.GetAsync(ended, Stop));
    }

    [Fact]
    public async Task A_task_that_was_pruned_elsewhere_and_restored_here_is_the_restored_one()
    {
        var id = await _host.AddAsync(description: "first");
        await _host.FinishAsync(id);
        var ended = (await _store.GetAsync(id, Stop))!;
        var other = await StoreHost.JoinAsync(_elsewhere, "other");
        await other.AnswerAsync(new PruneTasks(_host.Now + TimeSpan.FromDays(1)));

        await _host.AnswerAsync(new RestoreTasks("t2", [ended with { Description = "second" }]));

        var restored = (await _store.GetAsync(id, Stop))!;
        Assert.Equal(("t2", "second"), (restored.OwnerThreadId, restored.Description));
    }

    [Theory]
    [InlineData(500, 0, true)]
    [InlineData(2_000, 0, false)]
    [InlineData(0, 2_000, false)]
    public async Task Only_short_tasks_with_short_results_are_remembered(int resultLength, int errorLength, bool isRemembered)
    {
        var id = await _host.AddAsync();
        var result = resultLength == 0 ? (JsonElement?)null : JsonElement.Parse($"\"{new string('r', resultLength)}\"");
        await _host.AnswerAsync(new FinishTask(id, result is null ? TaskState.Failed : TaskState.Completed)
        {
            Result = result,
            Error = errorLength == 0 ? null : new string('e', errorLength),
        });

        Assert.Equal(isRemembered, await IsAtHandAsync(id));
        var ended = (await _store.GetAsync(id, Stop))!;
        Assert.Equal((result?.GetRawText(), errorLength), (ended.Result?.GetRawText(), ended.Error?.Length ?? 0));
    }

    [Fact]
    public async Task What_a_refused_batch_had_begun_is_not_read()
    {
        var id = await _host.AddAsync();

        var result = await _host.CommitAsync(
            new FinishTask(id, TaskState.Completed), StoreHost.Task(name: "n", description: "first"), StoreHost.Task(name: "n", description: "second"));

        Assert.Equal(CommitStatus.Refused, result.Status);
        Assert.Equal(TaskState.Running, (await _store.GetAsync(id, Stop))?.State);
        await _host.FinishAsync(id, TaskState.Failed);
        Assert.Equal(await _elsewhere.GetAsync(id, Stop), await _store.GetAsync(id, Stop));
    }

    [Fact]
    public async Task What_was_taken_back_of_a_group_is_not_remembered_and_what_landed_is_not_as_it_was_before()
    {
        await using var group = await GroupFixture.CreateAsync();
        var spawn = new AddTask { OwnerThreadId = "t1", Type = "t" };
        var (ended, live) = (group.Add(spawn), group.Add(spawn));

        // A look at the runs in the table has what was noted so far written, so that it has to be taken back there.
        var written = group.WriteGroup(
            [new FinishTask(ended, TaskState.Completed)],
            [new MoveTask(live, TaskState.InputRequired), spawn with { Name = "n" }, new RequestCancel(CancelScope.Run, "run"), spawn with { Name = "n" }]);

        Assert.Equal([CommitStatus.Landed, CommitStatus.Refused], written.Select(static batch => batch.Status));
        Assert.DoesNotContain(group.Memory.Tasks.Find(ended)?.State, new TaskState?[] { TaskState.Running });
        Assert.DoesNotContain(group.Memory.Tasks.Find(live)?.State, new TaskState?[] { TaskState.InputRequired });
        Assert.Equal(1, await group.CountAsync("tasks WHERE state = 3"));
        Assert.Equal(2, await group.CountAsync("tasks"));
    }

    [Fact]
    public void A_transaction_that_is_taken_back_leaves_what_was_committed_and_one_that_is_lost_leaves_nothing()
    {
        var committed = new CommittedTasks();
        var recent = new RecentTasks(committed);
        var task = new TaskSnapshot { TaskId = "bg_7", OwnerThreadId = "t", Type = "t" };
        recent.Stage(7, task);
        recent.Publish();

        recent.Stage(7, task with { State = TaskState.Completed });
        recent.TakeBack();
        Assert.Same(task, recent.Find(7));
        recent.Stage(7, task with { State = TaskState.Completed });
        recent.Withdraw();

        Assert.Null(committed.Find("bg_7"));
        Assert.Null(new RecentTasks(committed).Find(7));
    }

    [Fact]
    public void What_has_been_there_for_too_long_is_not_found_and_what_replaces_it_is()
    {
        var clock = new ManualClock();
        var committed = new CommittedTasks(clock);
        var task = new TaskSnapshot { TaskId = "bg_7", OwnerThreadId = "t", Type = "t" };
        committed.Put(7, task);
        clock.Advance(Moment);
        Assert.Same(task, committed.Find("bg_7", Moment));

        clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Null(committed.Find("bg_7", Moment));
        Assert.Same(task, committed.Find("bg_7"));
        var next = task with { State = TaskState.Completed };
        committed.Put(7, next);

        Assert.Same(next, committed.Find("bg_7", Moment));
        Assert.Null(committed.Find("bg_07", Moment));
        Assert.Null(committed.Find("bg_8", Moment));
    }

    /// <summary>Whether the task is answered without a round trip: no answer of the database is there as soon as it is asked for.</summary>
    private async Task<bool> IsAtHandAsync(string taskId)
    {
        // The driver tells of each statement as an activity under the one from which it was sent.
        using var look = new Activity("look").Start();
        var asked = 0;
        using var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == "Npgsql",
            Sample = (ref ActivityCreationOptions<ActivityContext> options) =>
                options.Parent.TraceId == look.TraceId ? ActivitySamplingResult.AllData : ActivitySamplingResult.None,
            ActivityStarted = _ => Interlocked.Increment(ref asked),
        };
        ActivitySource.AddActivityListener(listener);
        Assert.NotNull(await _store.GetAsync(taskId, Stop));
        return Volatile.Read(ref asked) == 0;
    }

    private async Task<PostgreSqlTaskStore> OpenAsync() =>
        await PostgreSqlTaskStore.OpenAsync(await PostgresServer.ConnectionStringAsync(), new() { Schema = _schema.Name, Time = _clock }, Stop);
}
