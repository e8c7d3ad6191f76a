namespace Coppice.StoreContract;

/// <summary>Law 7 in the store: whom a cancel request reaches, and what it leaves behind.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class CancelRequestsContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    [Fact]
    public async Task A_request_is_written_down_with_its_time_and_its_author()
    {
        var host = await JoinAsync();
        var id = await host.AddAsync();
        host.Now += TimeSpan.FromSeconds(1);

        Assert.Equal([id], await CancelAsync(host, CancelScope.Task, id));

        var task = await Store.GetAsync(id, Stop);
        Assert.Equal("user", task!.CancelledBy);
        Assert.Equal(host.Now, task.CancelRequestedAt);
        Assert.Equal(TaskState.Running, task.State);
        Assert.Null(task.CompletedAt);
    }

    [Theory]
    [InlineData(CancelScope.Task)]
    [InlineData(CancelScope.Tree)]
    [InlineData(CancelScope.Thread)]
    [InlineData(CancelScope.Run)]
    public async Task Nothing_to_reach_is_no_refusal(CancelScope scope)
    {
        var host = await JoinAsync();
        var ended = await host.AddAsync("t1", run: "r1");
        await host.FinishAsync(ended);
        var before = await Store.GetAsync(ended, Stop);

        Assert.Empty(await CancelAsync(host, scope, "unknown"));
        Assert.Empty(await CancelAsync(host, scope, scope switch { CancelScope.Thread => "t1", CancelScope.Run => "r1", _ => ended }));
        Assert.Equal(before, await Store.GetAsync(ended, Stop));
    }

    [Fact]
    public async Task The_first_request_stays_and_a_second_reaches_the_task_again()
    {
        var host = await JoinAsync();
        var id = await host.AddAsync(run: "r1");
        await CancelAsync(host, CancelScope.Tree, id);
        var first = await Store.GetAsync(id, Stop);
        host.Now += TimeSpan.FromSeconds(1);

        Assert.Equal([id], await CancelAsync(host, CancelScope.Task, id));
        Assert.Equal([id], await CancelAsync(host, CancelScope.Thread, "t1"));
        Assert.Equal([id], await CancelAsync(host, CancelScope.Run, "r1"));
        Assert.Equal([id], await CancelAsync(host, CancelScope.Tree, id));
        Assert.Equal("tree:" + id, first!.CancelledBy);
        Assert.Equal(first, await Store.GetAsync(id, Stop));
    }

    [Fact]
    public async Task A_task_that_comes_after_its_child_has_it_below_from_then_on()
    {
        var host = await JoinAsync();
        var child = await host.AddAsync("t1", parent: "bg_1", name: "early");
        var parent = await host.AddAsync("t2");
        Assert.Equal("bg_1", parent);

        Assert.Equal(child, await Store.FindLiveChildAsync(new TaskLineage { TaskId = parent }, "early", Stop));
        Assert.Equal([child, parent], (await CancelAsync(host, CancelScope.Tree, parent)).Order());
        await host.FinishAsync(parent);
        Assert.Equal([child], await CancelAsync(host, CancelScope.Tree, parent));
        Assert.Equal([child], await CancelAsync(host, CancelScope.Thread, "t2"));
    }

    [Fact]
    public async Task A_tree_reaches_every_live_descendant_across_threads_and_hosts_and_through_ended_tasks()
    {
        var host = await JoinAsync("a");
        var other = await JoinAsync("b");
        var root = await host.AddAsync("t1");
        var child = await host.AddAsync("t2", parent: root);
        var grandchild = await other.AddAsync("t3", parent: child);
        var sibling = await host.AddAsync("t1", parent: root, state: TaskState.Pending);
        var stranger = await host.AddAsync("t1");
        await host.FinishAsync(child);

        var reached = await CancelAsync(host, CancelScope.Tree, root);

        Assert.Equal([.. new[] { root, grandchild, sibling }.Order()], reached.Order());
        foreach (var id in reached)
        {
            Assert.Equal("tree:" + root, (await Store.GetAsync(id, Stop))!.CancelledBy);
        }

        Assert.Null((await Store.GetAsync(child, Stop))!.CancelRequestedAt);
        Assert.Null((await Store.GetAsync(stranger, Stop))!.CancelRequestedAt);
    }

    [Fact]
    public async Task A_tree_of_an_ended_root_reaches_what_still_lives_below_it()
    {
        var host = await JoinAsync();
        var root = await host.AddAsync();
        var child = await host.AddAsync(parent: root);
        var grandchild = await host.AddAsync(parent: child);
        await host.FinishAsync(root);
        await host.FinishAsync(child);

        Assert.Equal([grandchild], await CancelAsync(host, CancelScope.Tree, root));
        Assert.Equal("tree:" + root, (await Store.GetAsync(grandchild, Stop))!.CancelledBy);
    }

    [Fact]
    public async Task A_thread_reaches_its_tasks_and_their_trees_on_other_threads()
    {
        var host = await JoinAsync();
        var root = await host.AddAsync("t1");
        var elsewhere = await host.AddAsync("t2", parent: root);
        var below = await host.AddAsync("t3", parent: elsewhere);
        var ended = await host.AddAsync("t1");
        var underEnded = await host.AddAsync("t2", parent: ended);
        var stranger = await host.AddAsync("t2");
        await host.FinishAsync(ended);

        var reached = await CancelAsync(host, CancelScope.Thread, "t1");

        Assert.Equal([.. new[] { root, elsewhere, below, underEnded }.Order()], reached.Order());
        Assert.Equal("thread", (await Store.GetAsync(below, Stop))!.CancelledBy);
        Assert.Null((await Store.GetAsync(stranger, Stop))!.CancelRequestedAt);
        Assert.Null((await Store.GetAsync(ended, Stop))!.CancelRequestedAt);
    }

    [Fact]
    public async Task A_run_reaches_its_tasks_without_a_parent_and_their_trees()
    {
        var host = await JoinAsync();
        var root = await host.AddAsync("t1", run: "r1");
        var child = await host.AddAsync("t1", parent: root, run: "r2");
        var foreignRoot = await host.AddAsync("t1", run: "r2");
        var inRunBelowForeign = await host.AddAsync("t1", parent: foreignRoot, run: "r1");
        var otherThread = await host.AddAsync("t2", run: "r1");

        var reached = await CancelAsync(host, CancelScope.Run, "r1");

        Assert.Equal([.. new[] { root, child, otherThread }.Order()], reached.Order());
        Assert.Equal("run:r1", (await Store.GetAsync(child, Stop))!.CancelledBy);
        Assert.Null((await Store.GetAsync(inRunBelowForeign, Stop))!.CancelRequestedAt);
    }

    [Fact]
    public async Task A_run_reaches_what_lives_below_its_ended_roots()
    {
        var host = await JoinAsync();
        var root = await host.AddAsync(run: "r1");
        var child = await host.AddAsync(parent: root);
        await host.FinishAsync(root);

        Assert.Equal([child], await CancelAsync(host, CancelScope.Run, "r1"));
    }

    [Fact]
    public async Task One_task_alone_is_reached_without_its_children()
    {
        var host = await JoinAsync();
        var root = await host.AddAsync();
        var child = await host.AddAsync(parent: root);

        Assert.Equal([root], await CancelAsync(host, CancelScope.Task, root));
        Assert.Null((await Store.GetAsync(child, Stop))!.CancelRequestedAt);
    }

    [Fact]
    public async Task Every_task_reached_is_named_once()
    {
        var host = await JoinAsync();
        var root = await host.AddAsync("t1", run: "r1");
        for (var i = 0; i < 10; i++)
        {
            await host.AddAsync("t1", parent: root, run: "r1");
        }

        var reached = await CancelAsync(host, CancelScope.Thread, "t1");
        Assert.Equal(11, reached.Count);
        Assert.Equal(11, reached.Distinct().Count());
        Assert.Equal(11, (await CancelAsync(host, CancelScope.Run, "r1")).Distinct().Count());
    }

    [Fact]
    public async Task A_child_added_while_its_tree_is_cancelled_is_refused_or_reached()
    {
        var host = await JoinAsync("spawner");
        var canceller = await JoinAsync("canceller");
        for (var round = 0; round < 150; round++)
        {
            var root = await host.AddAsync();
            var parent = await host.AddAsync($"t{round % 3}", parent: root);
            var adds = Enumerable.Range(0, 4)
                .Select(i => Task.Run(() => host.CommitAsync(StoreHost.Task($"u{i}", parent: parent)), Stop))
                .ToList();
            var reached = await Task.Run(() => CancelAsync(canceller, CancelScope.Tree, root), Stop).Within();
            foreach (var add in await adds.AllWithin())
            {
                if (add.Status == CommitStatus.Landed)
                {
                    var child = ((TaskAdded)add.Answers[0]).TaskId;
                    Assert.Contains(child, reached);
                    Assert.Equal("tree:" + root, (await Store.GetAsync(child, Stop))!.CancelledBy);
                }
                else
                {
                    Assert.Equal([new AddRefused(SpawnError.ParentCancelled)], add.Answers);
                }
            }
        }
    }

    [Fact]
    public async Task A_deep_and_a_wide_tree_are_reached_whole()
    {
        var host = await JoinAsync();
        var root = await host.AddAsync();
        var parent = root;
        for (var depth = 0; depth < 63; depth++)
        {
            parent = await host.AddAsync(parent: parent);
        }

        var wide = await host.CommitAsync([.. Enumerable.Range(0, 500).Select(_ => (Mutation)StoreHost.Task("t2", parent: parent))]);
        Assert.Equal(CommitStatus.Landed, wide.Status);

        Assert.Equal(564, (await CancelAsync(host, CancelScope.Tree, root)).Count);
    }

    private static async Task<IReadOnlyList<string>> CancelAsync(StoreHost host, CancelScope scope, string key) =>
        Assert.IsType<CancelReached>(await host.AnswerAsync(new RequestCancel(scope, key))).TaskIds;
}
