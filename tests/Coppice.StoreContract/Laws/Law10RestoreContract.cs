using System.Text.Json;

namespace Coppice.StoreContract;

/// <summary>Law 10: restore, and export.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class Law10RestoreContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    private const string Orphaned = "task orphaned: runtime restarted while running";

    [Fact]
    public async Task What_was_exported_can_be_restored_elsewhere_by_way_of_json()
    {
        var first = await StartAsync();
        foreach (var state in new[] { TaskState.Completed, TaskState.Failed, TaskState.Cancelled })
        {
            var id = await first.SpawnAsync(
                "t1", _ => Bodies.As(state), new SpawnOptions { Name = $"n-{state}", Type = "crawl", Lineage = new TaskLineage { RunId = "r1" } }, Stop).Within();
            await first.WaitAsync(id, Stop).Within();
        }

        var exported = await ListAsync(first.ExportAsync(null, Stop));
        var second = await StartAsync(store: await Fixture.CreateAsync());
        var read = JsonSerializer.Deserialize<List<TaskSnapshot>>(JsonSerializer.Serialize(exported))!;

        Assert.Equal(new RestoreResult(3, 0, 0), await second.RestoreAsync("t2", read, Stop).Within());
        Assert.Equal(exported.Select(static task => task with { OwnerThreadId = "t2" }), await second.ListAsync("t2", Stop));
        Assert.Equal(3, exported.Count);
    }

    [Fact]
    public async Task Known_ids_are_skipped_and_counted_and_a_live_one_goes_on()
    {
        var manager = await StartAsync();
        var live = await manager.SpawnAsync("t1", Bodies.Park, cancellationToken: Stop).Within();
        var snapshot = await ListAsync(manager.ExportAsync(null, Stop));

        Assert.Equal(new RestoreResult(0, 1, 0), await manager.RestoreAsync("t2", snapshot, Stop).Within());

        Assert.Equal(snapshot, await manager.ListAsync("t1", Stop));
        Assert.True(await manager.CancelAsync(live, Stop).Within());
        Assert.Equal(TaskState.Cancelled, (await manager.WaitAsync(live, Stop).Within()).State);
    }

    [Fact]
    public async Task Live_tasks_become_orphans_of_their_new_owner_with_their_event()
    {
        var manager = await StartAsync();
        TaskSnapshot[] snapshot = [Old("bg_4", TaskState.Running), Old("bg_5", TaskState.Pending), Old("bg_6", TaskState.InputRequired), Old("bg_7", TaskState.Completed)];

        Assert.Equal(new RestoreResult(4, 0, 3), await manager.RestoreAsync("t1", snapshot, Stop).Within());

        foreach (var id in new[] { "bg_4", "bg_5", "bg_6" })
        {
            var orphan = await manager.WaitAsync(id, Stop).Within();
            Assert.Equal((TaskState.Failed, Orphaned, "t1"), (orphan.State, orphan.Error, orphan.OwnerThreadId));
            Assert.NotNull(orphan.CompletedAt);
        }

        await using var inbox = await manager.OpenInboxAsync("t1", Stop);
        Assert.Equal(
            new[] { "bg_4", "bg_5", "bg_6" }.Select(static id => new TaskFailed(id, Orphaned)),
            (await inbox.EventsAsync()).Cast<TaskFailed>().OrderBy(static failed => failed.TaskId));
        Assert.False(await manager.HasRunningAsync("t1", Stop));
    }

    [Theory]
    [InlineData("bg_99")]
    [InlineData("bg_9007199254740000")]
    public async Task The_next_id_is_past_every_restored_one(string seen)
    {
        var manager = await StartAsync();
        await manager.RestoreAsync("t1", [Old(seen, TaskState.Completed), Old("bg_7", TaskState.Failed)], Stop).Within();

        var next = await manager.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within();

        Assert.True(TaskIds.TryParse(seen, out var before));
        Assert.True(TaskIds.TryParse(next, out var after));
        Assert.True(after > before, next);
        Assert.True(Fixture.IdsMayHaveGaps || after == before + 1, next);
    }

    [Fact]
    public async Task Ids_of_other_forms_are_kept_and_huge_ones_move_nothing()
    {
        var manager = await StartAsync();
        string[] ids = ["bg_9007199254740993", "bg_123456789012345678901234567890", "bg_01", "task-7", "ünï"];

        Assert.Equal(5, (await manager.RestoreAsync("t1", ids.Select(static id => Old(id, TaskState.Completed)), Stop).Within()).Added);

        foreach (var id in ids)
        {
            Assert.Equal(id, (await manager.GetAsync(id, Stop))!.TaskId);
        }

        var next = await manager.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within();
        Assert.True(Fixture.IdsMayHaveGaps || next == "bg_0", next);
    }

    [Fact]
    public async Task Restores_and_spawns_at_once_never_share_an_id()
    {
        var manager = await StartAsync();
        var restores = Enumerable.Range(0, 20).Select(i => Task.Run(async () => await manager.RestoreAsync("t2", [Old($"bg_{i * 7}", TaskState.Completed)], Stop), Stop)).ToList();
        var spawns = await Enumerable.Range(0, 100).Select(_ => Task.Run(async () => await manager.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop), Stop)).AllWithin();
        var results = await restores.AllWithin();

        Assert.Equal(100, spawns.Distinct().Count());
        Assert.Equal(20, results.Sum(static result => result.Added + result.Skipped));
        Assert.Equal(100, (await manager.ListAsync("t1", Stop)).Count);
        Assert.Equal(results.Sum(static result => result.Added), (await manager.ListAsync("t2", Stop)).Count);
    }

    [Fact]
    public async Task A_restore_that_is_given_up_or_fails_leaves_nothing_behind()
    {
        var store = new FaultyStore(Store);
        var manager = await StartAsync(store: store);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => manager.RestoreAsync("t1", [Old("bg_9", TaskState.Running)], new CancellationToken(canceled: true)).Within());
        store.Fail<RestoreTasks>(FaultMoment.KnownBeforeCommit);
        await Assert.ThrowsAsync<TaskStoreException>(() => manager.RestoreAsync("t1", [Old("bg_9", TaskState.Running)], Stop).Within());

        Assert.Empty(await manager.ListAsync("t1", Stop));
        Assert.Equal(new RestoreResult(1, 0, 1), await manager.RestoreAsync("t1", [Old("bg_9", TaskState.Running)], Stop).Within());
    }

    [Fact]
    public async Task An_empty_snapshot_and_a_large_one_are_restored()
    {
        var manager = await StartAsync();
        Assert.Equal(default, await manager.RestoreAsync("t1", [], Stop).Within());
        Assert.Equal(
            new RestoreResult(5_000, 0, 0),
            await manager.RestoreAsync("t1", Enumerable.Range(0, 5_000).Select(static i => Old(TaskIds.Format(i), TaskState.Completed)), Stop).Within());
    }

    [Fact]
    public async Task A_snapshot_that_makes_no_sense_is_refused_before_any_io()
    {
        var store = new FaultyStore(Store);
        var manager = await StartAsync(store: store);
        var commits = store.Commits;

        await Assert.ThrowsAsync<ArgumentNullException>(() => manager.RestoreAsync("t1", null!, Stop).Within());
        await Assert.ThrowsAnyAsync<ArgumentException>(() => manager.RestoreAsync("t1", [null!], Stop).Within());
        await Assert.ThrowsAnyAsync<ArgumentException>(() => manager.RestoreAsync("t1", [Old("", TaskState.Completed)], Stop).Within());
        await Assert.ThrowsAnyAsync<ArgumentException>(() => manager.RestoreAsync("t1", [Old("a\0b", TaskState.Completed)], Stop).Within());
        await Assert.ThrowsAnyAsync<ArgumentException>(() => manager.RestoreAsync("t1", [Old(new string('x', 300), TaskState.Completed)], Stop).Within());
        await Assert.ThrowsAnyAsync<ArgumentException>(() => manager.RestoreAsync("", [Old("bg_1", TaskState.Completed)], Stop).Within());

        Assert.Equal(commits, store.Commits);
        Assert.Empty(await ListAsync(manager.ExportAsync(null, Stop)));
    }

    [Fact]
    public async Task A_refused_snapshot_is_told_which_of_its_tasks_and_which_part_of_it()
    {
        var manager = await StartAsync();
        var snapshot = Enumerable.Range(0, 1_000).Select(static i => Old(TaskIds.Format(i), TaskState.Completed)).ToList();
        snapshot[700] = snapshot[700] with { Lineage = new TaskLineage { RunId = "a\0b" } };

        var error = await Assert.ThrowsAsync<ArgumentException>(() => manager.RestoreAsync("t1", snapshot, Stop).Within());

        Assert.Contains("Task number 701 ", error.Message, StringComparison.Ordinal);
        Assert.Contains("Lineage", error.Message, StringComparison.Ordinal);
        Assert.Empty(await manager.ListAsync("t1", Stop));
    }

    private static TaskSnapshot Old(string id, TaskState state) => new()
    {
        TaskId = id,
        OwnerThreadId = "old-owner",
        State = state,
        Error = state == TaskState.Failed ? "boom" : null,
        CreatedAt = DateTimeOffset.UnixEpoch.AddMilliseconds(1),
        CompletedAt = state.IsTerminal() ? DateTimeOffset.UnixEpoch.AddMilliseconds(2) : null,
    };

    private static async Task<List<TaskSnapshot>> ListAsync(IAsyncEnumerable<TaskSnapshot> tasks)
    {
        var list = new List<TaskSnapshot>();
        await foreach (var task in tasks)
        {
            list.Add(task);
        }

        return list;
    }
}
