namespace Coppice.StoreContract;

/// <summary>Law 2: one terminal state. The interleavings of cancel and completion are here.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class Law02OneTerminalStateContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    public static TheoryData<TaskState> TerminalStates() => [TaskState.Completed, TaskState.Failed, TaskState.Cancelled];

    [Theory]
    [MemberData(nameof(TerminalStates))]
    public async Task Nothing_that_comes_later_changes_an_ended_task(TaskState state)
    {
        var manager = await StartAsync();
        var id = await manager.SpawnAsync(
            "t1", _ => Bodies.As(state), new SpawnOptions { Lineage = new TaskLineage { RunId = "r1" } }, Stop).Within();
        var ended = await manager.WaitAsync(id, Stop).Within();

        Assert.False(await manager.CancelAsync(id, Stop).Within());
        Assert.Equal(0, await manager.CancelTreeAsync(id, Stop).Within());
        Assert.Equal(0, await manager.CancelThreadAsync("t1", Stop).Within());
        Assert.Equal(0, await manager.CancelRunAsync("r1", Stop).Within());
        Assert.Equal(new RestoreResult(0, 1, 0), await manager.RestoreAsync("t2", [ended with { State = TaskState.Failed, Error = "other" }], Stop).Within());
        await manager.DisposeAsync();
        var second = await StartAsync();

        Assert.Equal(ended, await second.GetAsync(id, Stop));
        await using var inbox = await second.OpenInboxAsync("t1", Stop);
        Assert.Single(await inbox.DrainAsync(Stop));
    }

    [Fact]
    public async Task The_end_has_a_state_a_time_and_what_belongs_to_it()
    {
        var manager = await StartAsync();
        var completed = await EndAsync(manager, TaskState.Completed);
        var failed = await EndAsync(manager, TaskState.Failed);
        var cancelled = await EndAsync(manager, TaskState.Cancelled);

        Assert.Equal(("done", null), (completed.Result!.Value.GetString(), completed.Error));
        Assert.Equal((null, "boom"), (failed.Result?.ToString(), failed.Error));
        Assert.Equal((null, null), (cancelled.Result?.ToString(), cancelled.Error));
        Assert.All([completed, failed, cancelled], static task => Assert.True(task.CompletedAt >= task.CreatedAt));
    }

    [Fact]
    public async Task Of_a_cancel_and_a_completion_at_once_the_first_wins_and_the_answer_says_which()
    {
        var manager = await StartAsync();
        for (var round = 0; round < 200; round++)
        {
            var finish = new Signal();
            var id = await manager.SpawnAsync("t1", Bodies.Until(finish), cancellationToken: Stop).Within();

            var completing = Task.Run(finish.Set, Stop);
            var cancelled = await Task.Run(async () => await manager.CancelAsync(id, Stop), Stop).Within();
            await completing.Within();
            var ended = await manager.WaitAsync(id, Stop).Within();

            Assert.Equal(TaskState.Completed, ended.State);
            Assert.Equal(cancelled, ended.CancelRequestedAt is not null);
            Assert.Equal(cancelled ? "user" : null, ended.CancelledBy);
            Assert.Equal(ended, await manager.GetAsync(id, Stop));
        }

        await using var inbox = await manager.OpenInboxAsync("t1", Stop);
        var ends = (await inbox.DrainAsync(Stop)).Select(static item => (TaskEvent)item.Event).ToList();
        Assert.Equal(200, ends.Count);
        Assert.Equal(200, ends.Select(static end => end.TaskId).Distinct().Count());
    }

    [Fact]
    public async Task Everybody_who_waits_sees_the_same_end()
    {
        var manager = await StartAsync();
        var finish = new Signal();
        var id = await manager.SpawnAsync("t1", Bodies.Only(finish), cancellationToken: Stop).Within();
        var waits = Enumerable.Range(0, 20).Select(_ => manager.WaitAsync(id, Stop)).ToList();
        Assert.All(waits, static wait => Assert.False(wait.IsCompleted));

        finish.Set();

        var ends = await waits.AllWithin();
        Assert.All(ends, end => Assert.Equal(ends[0], end));
        Assert.Equal(ends[0], await manager.WaitAsync(id, Stop).Within());
    }

    [Fact]
    public async Task Waiting_for_an_unknown_task_is_refused_and_a_wait_can_be_given_up()
    {
        var manager = await StartAsync();
        var id = await manager.SpawnAsync("t1", Bodies.Park, cancellationToken: Stop).Within();
        using var source = new CancellationTokenSource();
        var wait = manager.WaitAsync(id, source.Token);
        await source.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait.Within());
        await Assert.ThrowsAsync<KeyNotFoundException>(() => manager.WaitAsync("bg_99", Stop).Within());
        Assert.Equal(TaskState.Running, (await manager.GetAsync(id, Stop))!.State);
    }

    private static async Task<TaskSnapshot> EndAsync(BackgroundTaskManager manager, TaskState state)
    {
        var id = await manager.SpawnAsync("t1", _ => Bodies.As(state), cancellationToken: Stop).Within();
        var ended = await manager.WaitAsync(id, Stop).Within();
        Assert.Equal(state, ended.State);
        return ended;
    }
}
