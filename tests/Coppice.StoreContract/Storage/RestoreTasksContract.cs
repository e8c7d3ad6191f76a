using System.Text.Json;

namespace Coppice.StoreContract;

/// <summary>Law 10 in the store: what a snapshot brings in.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class RestoreTasksContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    private const string Orphaned = "task orphaned: runtime restarted while running";

    public static TheoryData<TaskState> TerminalStates() => [TaskState.Completed, TaskState.Failed, TaskState.Cancelled];

    public static TheoryData<TaskState> LiveStates() => [TaskState.Pending, TaskState.Running, TaskState.InputRequired];

    [Theory]
    [MemberData(nameof(TerminalStates))]
    public async Task An_ended_task_stays_as_it_was_under_its_new_owner_and_posts_no_mail(TaskState state)
    {
        var host = await JoinAsync();
        var task = Snapshot("bg_7", state);

        Assert.Equal(new RestoreResult(1, 0, 0), await RestoreAsync(host, task));

        Assert.Equal(task with { OwnerThreadId = "t1" }, await Store.GetAsync("bg_7", Stop));
        Assert.Empty(await Store.ReadAllAsync(host, "t1"));
        Assert.Empty(await Store.ReadAllAsync(host, "old-owner"));
        Assert.False(await Store.HasLiveAsync("t1", Stop));
    }

    [Theory]
    [MemberData(nameof(LiveStates))]
    public async Task A_live_task_becomes_an_orphan_and_its_new_owner_is_told(TaskState state)
    {
        var host = await JoinAsync();
        var task = Snapshot("bg_7", state) with { CancelRequestedAt = host.Now.AddDays(-1), CancelledBy = "user" };

        Assert.Equal(new RestoreResult(1, 0, 1), await RestoreAsync(host, task));

        var orphan = task with { OwnerThreadId = "t1", State = TaskState.Failed, Error = Orphaned, CompletedAt = host.Now };
        Assert.Equal(orphan, await Store.GetAsync("bg_7", Stop));
        Assert.Equal([new TaskFailed("bg_7", Orphaned)], (await Store.ReadAllAsync(host, "t1")).Select(static item => item.Event));
        Assert.False(await Store.HasLiveAsync("t1", Stop));
        await host.AddAsync("t1", name: "worker-bg_7");
    }

    [Fact]
    public async Task Known_ids_are_skipped_and_stay_as_they_were()
    {
        var host = await JoinAsync();
        var live = await host.AddAsync("t2");
        var ended = await host.AddAsync("t2");
        await host.FinishAsync(ended);
        var before = new[] { await Store.GetAsync(live, Stop), await Store.GetAsync(ended, Stop) };

        var result = await RestoreAsync(
            host, Snapshot(live, TaskState.Running), Snapshot(ended, TaskState.Failed), Snapshot("bg_50", TaskState.Completed));

        Assert.Equal(new RestoreResult(1, 2, 0), result);
        Assert.Equal(before[0], await Store.GetAsync(live, Stop));
        Assert.Equal(before[1], await Store.GetAsync(ended, Stop));
        Assert.True(await Store.HasLiveAsync("t2", Stop));
        await host.FinishAsync(live);
    }

    [Fact]
    public async Task A_snapshot_that_is_restored_twice_changes_nothing_the_second_time()
    {
        var host = await JoinAsync();
        TaskSnapshot[] tasks = [Snapshot("bg_1", TaskState.Completed), Snapshot("bg_2", TaskState.Running), Snapshot("custom", TaskState.Failed)];

        Assert.Equal(new RestoreResult(3, 0, 1), await RestoreAsync(host, tasks));
        Assert.Equal(new RestoreResult(0, 3, 0), await RestoreAsync(host, tasks));
        Assert.Single(await Store.ReadAllAsync(host, "t1"));
    }

    [Fact]
    public async Task An_id_that_stands_twice_in_a_snapshot_is_taken_once()
    {
        var host = await JoinAsync();
        var first = Snapshot("bg_3", TaskState.Completed);

        Assert.Equal(new RestoreResult(1, 1, 0), await RestoreAsync(host, first, Snapshot("bg_3", TaskState.Failed)));
        Assert.Equal(first with { OwnerThreadId = "t1" }, await Store.GetAsync("bg_3", Stop));
    }

    [Theory]
    [InlineData("bg_41", "bg_42")]
    [InlineData("bg_0", "bg_1")]
    [InlineData("bg_9007199254740991", "bg_9007199254740992")]
    public async Task The_counter_moves_past_every_id_it_saw(string seen, string next)
    {
        var host = await JoinAsync();
        await RestoreAsync(host, Snapshot(seen, TaskState.Completed), Snapshot("bg_0", TaskState.Failed));

        var added = await host.AddAsync();

        if (Fixture.IdsMayHaveGaps)
        {
            Assert.True(TaskIds.TryParse(added, out var number) && TaskIds.TryParse(next, out var least) && number >= least, added);
        }
        else
        {
            Assert.Equal(next, added);
        }
    }

    [Fact]
    public async Task The_largest_counted_id_is_never_given_again()
    {
        var host = await JoinAsync();
        await RestoreAsync(host, Snapshot(TaskIds.Format(TaskIds.MaxCounted), TaskState.Completed));

        var first = await host.AddAsync();
        var second = await host.AddAsync();

        Assert.Equal(3, new HashSet<string> { TaskIds.Format(TaskIds.MaxCounted), first, second }.Count);
        foreach (var id in new[] { first, second })
        {
            Assert.Equal(TaskState.Running, (await Store.GetAsync(id, Stop))?.State);
            await host.FinishAsync(id);
        }
    }

    [Theory]
    [InlineData("bg_9007199254740993")]
    [InlineData("bg_99999999999999999999999999")]
    [InlineData("bg_007")]
    [InlineData("bg_-1")]
    [InlineData("BG_5")]
    [InlineData("bg_")]
    [InlineData("bg_٣")]
    [InlineData("3f0c2c1e-7c1b-4a52-a2c1-0e0f2b7d5a11")]
    [InlineData("ünï ' \" %")]
    public async Task An_id_of_another_form_is_kept_as_it_is_and_moves_nothing(string id)
    {
        var host = await JoinAsync();

        Assert.Equal(new RestoreResult(1, 0, 0), await RestoreAsync(host, Snapshot(id, TaskState.Completed)));

        Assert.Equal(id, (await Store.GetAsync(id, Stop))!.TaskId);
        var next = await host.AddAsync();
        Assert.True(TaskIds.TryParse(next, out var number));
        Assert.True(Fixture.IdsMayHaveGaps ? number < 1_000 : number == 0, $"{id} moved the counter to {next}.");
    }

    [Fact]
    public async Task The_counter_stays_past_a_snapshot_over_the_end_of_the_process()
    {
        var host = await JoinAsync();
        await RestoreAsync(host, Snapshot("bg_41", TaskState.Completed));
        await ReopenAsync();
        host = await JoinAsync("next");

        Assert.True(TaskIds.TryParse(await host.AddAsync(), out var number));
        Assert.True(number > 41, $"{number} was given again.");
    }

    [Fact]
    public async Task A_cyclic_lineage_is_kept_and_hangs_nothing()
    {
        var host = await JoinAsync();
        TaskSnapshot[] cycle =
        [
            Snapshot("bg_0", TaskState.Completed, parent: "bg_2"),
            Snapshot("bg_1", TaskState.Completed, parent: "bg_0"),
            Snapshot("bg_2", TaskState.Running, parent: "bg_1"),
            Snapshot("bg_3", TaskState.Failed, parent: "bg_3"),
        ];
        Assert.Equal(new RestoreResult(4, 0, 1), await RestoreAsync(host, cycle));

        await host.CommitAsync(StoreHost.Task(parent: "bg_1") with { MaxDepth = 64 });
        var child = Assert.IsType<TaskAdded>(await host.AnswerAsync(StoreHost.Task(parent: "bg_3"))).TaskId;
        var tree = Assert.IsType<CancelReached>(await host.AnswerAsync(new RequestCancel(CancelScope.Tree, "bg_3")));
        await host.AnswerAsync(new RequestCancel(CancelScope.Tree, "bg_0"));
        await host.AnswerAsync(new RequestCancel(CancelScope.Thread, "t1"));
        await host.AnswerAsync(new PruneTasks(host.Now.AddDays(1)));

        Assert.Equal([child], tree.TaskIds);
    }

    [Fact]
    public async Task A_restored_ended_parent_with_a_request_refuses_children()
    {
        var host = await JoinAsync();
        await RestoreAsync(host, Snapshot("bg_5", TaskState.Cancelled) with { CancelRequestedAt = host.Now, CancelledBy = "user" });

        Assert.Equal(new AddRefused(SpawnError.ParentCancelled), await host.RefusalAsync(StoreHost.Task(parent: "bg_5")));
    }

    [Fact]
    public async Task An_empty_snapshot_restores_nothing()
    {
        var host = await JoinAsync();
        Assert.Equal(default, await RestoreAsync(host));
    }

    [Fact]
    public async Task A_large_snapshot_lands_whole()
    {
        var host = await JoinAsync();
        var tasks = Enumerable.Range(0, 1_000).Select(i => Snapshot($"bg_{i}", i % 2 == 0 ? TaskState.Completed : TaskState.Running)).ToArray();

        Assert.Equal(new RestoreResult(1_000, 0, 500), await RestoreAsync(host, tasks));
        Assert.Equal(500, (await Store.ReadAllAsync(host, "t1")).Count);
    }

    private static TaskSnapshot Snapshot(string id, TaskState state, string? parent = null)
    {
        var created = new DateTimeOffset(2025, 12, 24, 18, 30, 0, 123, TimeSpan.Zero);
        return new TaskSnapshot
        {
            TaskId = id,
            OwnerThreadId = "old-owner",
            Type = "crawl",
            Name = "worker-" + id,
            Description = "from elsewhere",
            State = state,
            Error = state == TaskState.Failed ? "boom" : null,
            Result = state == TaskState.Completed ? JsonSerializer.SerializeToElement(new { pages = 3 }) : null,
            CreatedAt = created,
            CompletedAt = state.IsTerminal() ? created.AddSeconds(1) : null,
            Lineage = new TaskLineage { TaskId = parent, RunId = "run-1", CallId = "call-1", AgentId = "planner" },
        };
    }

    private static async Task<RestoreResult> RestoreAsync(StoreHost host, params TaskSnapshot[] tasks) =>
        Assert.IsType<TasksRestored>(await host.AnswerAsync(new RestoreTasks("t1", tasks))).Result;
}
