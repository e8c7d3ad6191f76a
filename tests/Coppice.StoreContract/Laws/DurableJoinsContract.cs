namespace Coppice.StoreContract;

/// <summary>Waiting for the children of a task, as a method and as a durable step.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class DurableJoinsContract<TStore> : DurableTest<TStore>
    where TStore : StoreFixture, new()
{
    [Fact]
    public async Task All_is_met_when_the_last_child_has_ended_however_it_ended()
    {
        var (manager, parent, gates) = await FamilyAsync(3);
        var join = manager.WaitForChildrenAsync(parent, JoinCondition.All, Stop);

        gates[1].SetResult("ok");
        gates[0].SetException(new InvalidOperationException("boom"));
        Assert.False(join.IsCompleted);
        gates[2].SetResult("ok");

        var result = await join.Within();
        Assert.True(result.IsMet);
        Assert.Equal([TaskState.Failed, TaskState.Completed, TaskState.Completed], result.Ended.Select(static task => task.State));
    }

    [Fact]
    public async Task Any_is_met_by_the_first_that_ends()
    {
        var (manager, parent, gates) = await FamilyAsync(3);
        var join = manager.WaitForChildrenAsync(parent, JoinCondition.Any, Stop);

        gates[1].SetException(new InvalidOperationException("boom"));

        var result = await join.Within();
        Assert.Equal((true, "boom"), (result.IsMet, Assert.Single(result.Ended).Error));
    }

    [Fact]
    public async Task First_success_passes_over_failures_and_is_not_met_when_all_fail()
    {
        var (manager, parent, gates) = await FamilyAsync(2);
        var join = manager.WaitForChildrenAsync(parent, JoinCondition.FirstSuccess, Stop);
        gates[0].SetException(new InvalidOperationException("boom"));
        Assert.False(join.IsCompleted);
        gates[1].SetResult("ok");
        Assert.True((await join.Within()).IsMet);

        var (_, hopeless, others) = await FamilyAsync(2, manager);
        join = manager.WaitForChildrenAsync(hopeless, JoinCondition.FirstSuccess, Stop);
        others[0].SetException(new InvalidOperationException("boom"));
        others[1].SetException(new InvalidOperationException("boom"));
        var result = await join.Within();
        Assert.Equal((false, 2), (result.IsMet, result.Ended.Count));
    }

    [Fact]
    public async Task A_number_is_met_by_as_many_ends_or_successes()
    {
        var (manager, parent, gates) = await FamilyAsync(4);
        var two = manager.WaitForChildrenAsync(parent, JoinCondition.AtLeast(2), Stop);
        var twoSuccesses = manager.WaitForChildrenAsync(parent, JoinCondition.Successes(2), Stop);

        gates[0].SetResult("ok");
        gates[1].SetException(new InvalidOperationException("boom"));
        Assert.True((await two.Within()).IsMet);
        Assert.False(twoSuccesses.IsCompleted);
        gates[2].SetResult("ok");

        Assert.Equal(3, (await twoSuccesses.Within()).Ended.Count);
    }

    [Fact]
    public async Task A_task_without_children_meets_all_and_nothing_else()
    {
        var manager = await StartAsync();
        var id = await manager.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within();

        Assert.True((await manager.WaitForChildrenAsync(id, JoinCondition.All, Stop).Within()).IsMet);
        Assert.False((await manager.WaitForChildrenAsync(id, JoinCondition.Any, Stop).Within()).IsMet);
        Assert.Throws<ArgumentOutOfRangeException>(static () => JoinCondition.AtLeast(0));
        Assert.Throws<ArgumentOutOfRangeException>(static () => JoinCondition.Successes(0));
    }

    [Fact]
    public async Task As_a_step_it_gives_a_later_attempt_the_same_answer()
    {
        var child = Kind("child");
        var parent = Kind("parent");
        var joined = new Signal();
        var first = await StartAsync(kinds =>
        {
            kinds.Add(child, (input, _) => PayAsync(input));
            kinds.Add(parent, async (_, context) =>
            {
                await SpawnAsync(context, "a");
                Assert.True((await context.JoinAsync("all", JoinCondition.All)).IsMet);
                await SpawnAsync(context, "b");
                joined.Set();
                await new Signal().Task;
                return "";
            });
        });
        var task = await first.SpawnAsync(parent, "t1", "", cancellationToken: Stop).Within();
        await joined.WaitAsync();
        await CrashAsync();

        var second = await StartAsync(kinds =>
        {
            kinds.Add(child, (input, _) => PayAsync(input));
            kinds.Add(parent, async (_, context) =>
            {
                await SpawnAsync(context, "a");
                var all = await context.JoinAsync("all", JoinCondition.All);
                return string.Join(' ', all.Ended.Select(static ended => ended.Result!.Value.GetString()));
            });
        });

        Assert.Equal("a", await second.GetHandle(parent, task.Id).ResultAsync(Stop).Within());

        async Task SpawnAsync(DurableTaskContext context, string name) => await context.SpawnAsync(name, child, name);
    }

    private async Task<(BackgroundTaskManager Manager, string Parent, TaskCompletionSource<string>[] Gates)> FamilyAsync(
        int children, BackgroundTaskManager? manager = null)
    {
        manager ??= await StartAsync();
        var parent = await manager.SpawnAsync("t1", Bodies.Park, cancellationToken: Stop).Within();
        var gates = new TaskCompletionSource<string>[children];
        for (var i = 0; i < children; i++)
        {
            var gate = gates[i] = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
            await manager.SpawnAsync("t1", context => gate.Task.WaitAsync(context.CancellationToken), new SpawnOptions { Lineage = new TaskLineage { TaskId = parent } }, Stop).Within();
        }

        return (manager, parent, gates);
    }
}
