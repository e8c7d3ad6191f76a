namespace Coppice.StoreContract;

/// <summary>How a parent finds its live children.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class ChildLookupContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    [Fact]
    public async Task A_direct_live_child_is_found_by_its_id_and_by_its_name()
    {
        var host = await JoinAsync();
        var parent = await host.AddAsync();
        var child = await host.AddAsync("t2", "worker", parent);

        Assert.Equal(child, await FindAsync(parent, child));
        Assert.Equal(child, await FindAsync(parent, "worker"));
        Assert.Null(await FindAsync(parent, "Worker"));
        Assert.Null(await FindAsync(parent, ""));
    }

    [Fact]
    public async Task Every_child_of_several_is_found_by_its_name_also_when_some_have_ended()
    {
        var host = await JoinAsync();
        var parent = await host.AddAsync();
        var children = new List<string?>();
        for (var i = 0; i < 5; i++)
        {
            children.Add(await host.AddAsync(name: $"worker-{i}", parent: parent));
        }

        Assert.Equal(children, await AllAsync());
        await host.FinishAsync(children[0]!);
        await host.FinishAsync(children[2]!);

        Assert.Equal([null, children[1], null, children[3], children[4]], await AllAsync());

        async Task<List<string?>> AllAsync()
        {
            var found = new List<string?>();
            for (var i = 0; i < 5; i++)
            {
                found.Add(await FindAsync(parent, $"worker-{i}"));
            }

            return found;
        }
    }

    [Fact]
    public async Task An_id_comes_before_a_name_that_looks_like_it()
    {
        var host = await JoinAsync();
        var parent = await host.AddAsync();
        var child = await host.AddAsync(parent: parent);
        var namedLikeIt = await host.AddAsync(name: child, parent: parent);

        Assert.Equal(child, await FindAsync(parent, child));
        await host.FinishAsync(child);
        Assert.Equal(namedLikeIt, await FindAsync(parent, child));
    }

    [Fact]
    public async Task Ended_children_grandchildren_and_strangers_are_not_found()
    {
        var host = await JoinAsync();
        var parent = await host.AddAsync();
        var child = await host.AddAsync(name: "child", parent: parent);
        var grandchild = await host.AddAsync(name: "grandchild", parent: child);
        var stranger = await host.AddAsync(name: "stranger");
        await host.FinishAsync(child);

        Assert.Null(await FindAsync(parent, child));
        Assert.Null(await FindAsync(parent, "child"));
        Assert.Null(await FindAsync(parent, grandchild));
        Assert.Null(await FindAsync(parent, "grandchild"));
        Assert.Null(await FindAsync(parent, stranger));
        Assert.Null(await FindAsync(parent, "stranger"));
        Assert.Null(await FindAsync(parent, parent));
        Assert.Equal(grandchild, await FindAsync(child, "grandchild"));
    }

    [Fact]
    public async Task Of_a_run_the_live_tasks_without_a_parent_are_found()
    {
        var host = await JoinAsync();
        var root = await host.AddAsync("t1", "root", run: "r1");
        var child = await host.AddAsync("t1", "child", parent: root, run: "r1");
        var otherRun = await host.AddAsync("t1", "other", run: "r2");
        var run = new TaskLineage { RunId = "r1" };

        Assert.Equal(root, await Store.FindLiveChildAsync(run, root, Stop));
        Assert.Equal(root, await Store.FindLiveChildAsync(run, "root", Stop));
        Assert.Null(await Store.FindLiveChildAsync(run, child, Stop));
        Assert.Null(await Store.FindLiveChildAsync(run, "child", Stop));
        Assert.Null(await Store.FindLiveChildAsync(run, otherRun, Stop));
        await host.FinishAsync(root);
        Assert.Null(await Store.FindLiveChildAsync(run, "root", Stop));
    }

    [Fact]
    public async Task A_parent_task_counts_before_a_run()
    {
        var host = await JoinAsync();
        var parent = await host.AddAsync(run: "r1");
        var child = await host.AddAsync(name: "worker", parent: parent);
        await host.AddAsync("t2", "worker", run: "r1");
        var both = new TaskLineage { TaskId = parent, RunId = "r1" };

        Assert.Equal(child, await Store.FindLiveChildAsync(both, "worker", Stop));
        Assert.Null(await Store.FindLiveChildAsync(both, parent, Stop));
    }

    [Fact]
    public async Task A_lineage_that_names_neither_finds_nothing()
    {
        var host = await JoinAsync();
        var id = await host.AddAsync(name: "worker");

        Assert.Null(await Store.FindLiveChildAsync(TaskLineage.None, id, Stop));
        Assert.Null(await Store.FindLiveChildAsync(TaskLineage.None, "worker", Stop));
        Assert.Null(await Store.FindLiveChildAsync(new TaskLineage { CallId = "c1", AgentId = "a1" }, "worker", Stop));
    }

    private async Task<string?> FindAsync(string parent, string nameOrTaskId) =>
        await Store.FindLiveChildAsync(new TaskLineage { TaskId = parent }, nameOrTaskId, Stop);
}
