namespace Coppice.StoreContract;

/// <summary>What is forgotten when a store is tended, and what stays.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class PruneTasksContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    [Fact]
    public async Task Tasks_that_ended_before_the_time_are_forgotten_and_others_stay()
    {
        var host = await JoinAsync();
        var old = await host.AddAsync();
        var oldLive = await host.AddAsync();
        var exact = await host.AddAsync();
        await host.FinishAsync(old);
        host.Now += TimeSpan.FromMinutes(1);
        await host.FinishAsync(exact, TaskState.Failed);

        Assert.Equal(1, await PruneAsync(host, host.Now));

        Assert.Null(await Store.GetAsync(old, Stop));
        Assert.NotNull(await Store.GetAsync(oldLive, Stop));
        Assert.NotNull(await Store.GetAsync(exact, Stop));
        Assert.Equal([oldLive, exact], (await Store.ListAsync(new TaskQuery { OwnerThreadId = "t1" }, null, 10, Stop)).Select(static task => task.TaskId));
        Assert.Equal(1, await PruneAsync(host, host.Now.AddMilliseconds(1)));
    }

    [Fact]
    public async Task A_task_with_a_live_descendant_stays_so_that_a_tree_cancel_still_reaches_it()
    {
        var host = await JoinAsync();
        var root = await host.AddAsync("t1");
        var child = await host.AddAsync("t2", parent: root);
        var grandchild = await host.AddAsync("t3", parent: child);
        var endedLeaf = await host.AddAsync("t3", parent: child);
        await host.FinishAsync(root);
        await host.FinishAsync(child);
        await host.FinishAsync(endedLeaf);

        Assert.Equal(1, await PruneAsync(host, host.Now.AddDays(1)));

        Assert.Null(await Store.GetAsync(endedLeaf, Stop));
        Assert.Equal([grandchild], Assert.IsType<CancelReached>(await host.AnswerAsync(new RequestCancel(CancelScope.Tree, root))).TaskIds);
        await host.FinishAsync(grandchild);
        Assert.Equal(3, await PruneAsync(host, host.Now.AddDays(1)));
    }

    [Fact]
    public async Task Ended_tasks_that_are_each_others_ancestors_do_not_keep_each_other()
    {
        var host = await JoinAsync();
        await host.AnswerAsync(new RestoreTasks("t1", [Ended("a", parent: "b", host.Now), Ended("b", parent: "a", host.Now)]));
        var live = await host.AddAsync("t1", parent: "a");
        host.Now += TimeSpan.FromHours(1);
        Assert.Equal(0, await PruneAsync(host, host.Now));

        await host.FinishAsync(live);
        host.Now += TimeSpan.FromHours(1);

        Assert.Equal(3, await PruneAsync(host, host.Now));
    }

    [Fact]
    public async Task A_spawn_below_a_task_whose_own_parent_is_forgotten_is_as_one_below_a_root()
    {
        var host = await JoinAsync();
        var root = await host.AddAsync();
        var child = await host.AddAsync(parent: root);
        await host.FinishAsync(root);
        var ended = host.Now += TimeSpan.FromHours(1);
        await host.FinishAsync(child);
        Assert.Equal(1, await PruneAsync(host, ended));

        Assert.IsType<TaskAdded>(await host.AnswerAsync(StoreHost.Task(parent: child) with { MaxDepth = 2 }));
    }

    [Fact]
    public async Task Ids_of_forgotten_tasks_are_never_given_again()
    {
        var host = await JoinAsync();
        var old = await host.AddAsync();
        await host.FinishAsync(old);
        await PruneAsync(host, host.Now.AddDays(1));
        await ReopenAsync();
        host = await JoinAsync("next");

        Assert.True(TaskIds.TryParse(old, out var before) && TaskIds.TryParse(await host.AddAsync(), out var after) && after > before);
    }

    [Fact]
    public async Task The_mail_of_forgotten_tasks_stays()
    {
        var host = await JoinAsync();
        var old = await host.AddAsync();
        await host.FinishAsync(old);
        await PruneAsync(host, host.Now.AddDays(1));

        Assert.Equal([new TaskCompleted(old, null)], (await Store.ReadAllAsync(host, "t1")).Select(static item => item.Event));
        Assert.Equal(["t1"], await Store.ListThreadsWithUnreadMailAsync(Stop));
    }

    [Fact]
    public async Task A_forgotten_task_is_unknown_to_everything()
    {
        var host = await JoinAsync();
        var old = await host.AddAsync(name: "worker", run: "r1");
        await host.FinishAsync(old);
        await PruneAsync(host, host.Now.AddDays(1));

        Assert.Equal(new MoveRefused(null), await host.RefusalAsync(StoreHost.Finish(old)));
        Assert.Equal(
            new SendRefused(new SendReceipt(SendResult.TaskNotFound, null)),
            await host.RefusalAsync(new SendMessage(old, new MessageSender("t1", "a"), "x", 1)));
        Assert.Empty(Assert.IsType<CancelReached>(await host.AnswerAsync(new RequestCancel(CancelScope.Run, "r1"))).TaskIds);
        var child = await host.AddAsync(parent: old);
        Assert.Equal(old, (await Store.GetAsync(child, Stop))!.Lineage.TaskId);
    }

    [Fact]
    public async Task Nothing_old_enough_is_nothing_to_forget()
    {
        var host = await JoinAsync();
        Assert.Equal(0, await PruneAsync(host, host.Now));
    }

    private static async Task<int> PruneAsync(StoreHost host, DateTimeOffset endedBefore) =>
        Assert.IsType<TasksPruned>(await host.AnswerAsync(new PruneTasks(endedBefore))).Count;

    private static TaskSnapshot Ended(string id, string parent, DateTimeOffset at) => new()
    {
        TaskId = id,
        State = TaskState.Completed,
        CreatedAt = at,
        CompletedAt = at,
        Lineage = new TaskLineage { TaskId = parent },
    };
}
