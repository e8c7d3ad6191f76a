namespace Coppice.Agents.Tests;

public sealed class CancelTaskTests
{
    private const string Self = """{"target":{"relation":"self"}}""";
    private const string Researcher = """{"target":{"relation":"child","name":"researcher"}}""";

    [Theory]
    [InlineData(StoreKind.Memory)]
    [InlineData(StoreKind.Sqlite)]
    public async Task A_child_of_the_run_is_cancelled_with_its_tree_by_name_or_by_id(StoreKind kind)
    {
        await using var bench = await Bench.StartAsync(kind);
        using var call = ToolCallScope.Begin("run-1", "call-1", "planner");
        var child = await bench.SpawnLiveAsync(name: "researcher");
        await bench.SpawnLiveAsync(lineage: new TaskLineage { TaskId = child });
        var other = await bench.SpawnLiveAsync();

        (await bench.CallAsync("cancel_task", Researcher)).IsExactly($$"""{"status":"accepted","root_task_id":"{{child}}","cancelled_count":2}""");
        (await bench.CallAsync("cancel_task", $$$"""{"target":{"relation":"child","name":"{{{other}}}"}}"""))
            .IsExactly($$"""{"status":"accepted","root_task_id":"{{other}}","cancelled_count":1}""");
    }

    [Fact]
    public async Task Nothing_cancelled_is_task_not_found()
    {
        await using var bench = await Bench.StartAsync();
        using var call = ToolCallScope.Begin("run-1", "call-1", "planner");

        (await bench.CallAsync("cancel_task", Researcher))
            .IsExactly("""{"status":"failed","root_task_id":"researcher","cancelled_count":0,"error":"task_not_found"}""");
        (await bench.CallAsync("cancel_task", Self))
            .IsExactly("""{"status":"failed","root_task_id":"run-1","cancelled_count":0,"error":"task_not_found"}""");
    }

    [Fact]
    public async Task A_grandchild_is_no_child()
    {
        await using var bench = await Bench.StartAsync();
        using var call = ToolCallScope.Begin("run-1", "call-1", "planner");
        var child = await bench.SpawnLiveAsync();
        await bench.SpawnLiveAsync(name: "researcher", lineage: new TaskLineage { TaskId = child });

        Assert.Equal("task_not_found", (await bench.CallAsync("cancel_task", Researcher)).Text("error"));
    }

    [Fact]
    public async Task A_child_on_another_thread_is_not_found()
    {
        await using var bench = await Bench.StartAsync();
        using var call = ToolCallScope.Begin("run-1", "call-1", "planner");
        var strange = await bench.SpawnLiveAsync("t2", "researcher");

        Assert.Equal("task_not_found", (await bench.CallAsync("cancel_task", Researcher)).Text("error"));
        Assert.Null((await bench.Manager.GetAsync(strange, Bench.Stop))!.CancelRequestedAt);
    }

    [Fact]
    public async Task Self_in_a_task_is_the_task_with_its_tree_and_not_the_run()
    {
        await using var bench = await Bench.StartAsync();
        using var run = new CancellationTokenSource();
        using var call = ToolCallScope.Begin("run-1", "call-1", "planner", run);
        var other = await bench.SpawnLiveAsync();
        var id = await bench.Manager.SpawnAsync(
            "t1",
            async task =>
            {
                using var inner = ToolCallScope.Begin("run-2", "call-2", "worker");
                await bench.SpawnLiveAsync();
                return TaskOutcome.Success(await bench.CallAsync("cancel_task", Self));
            },
            cancellationToken: Bench.Stop);

        var task = await bench.Manager.WaitAsync(id, Bench.Stop);

        task.Result!.Value.IsExactly($$"""{"status":"accepted","root_task_id":"{{id}}","cancelled_count":2}""");
        Assert.Equal($"tree:{id}", task.CancelledBy);
        Assert.False(run.IsCancellationRequested);
        Assert.Null((await bench.Manager.GetAsync(other, Bench.Stop))!.CancelRequestedAt);
    }

    [Fact]
    public async Task A_task_on_another_store_does_not_count()
    {
        await using var bench = await Bench.StartAsync();
        await using var elsewhere = await Bench.StartAsync();

        var id = await elsewhere.Manager.SpawnAsync(
            "t1", async _ => TaskOutcome.Success(await bench.CallAsync("cancel_task", Self)), cancellationToken: Bench.Stop);

        (await elsewhere.Manager.WaitAsync(id, Bench.Stop)).Result!.Value.IsError("current_task_unavailable", "no run");
    }

    [Fact]
    public async Task Self_in_a_run_is_its_tasks_and_the_run_itself_which_counts_as_one()
    {
        await using var bench = await Bench.StartAsync();
        using var run = new CancellationTokenSource();
        var wasTold = false;
        using var call = ToolCallScope.Begin("run-1", "call-1", "planner", run);
        var child = await bench.SpawnLiveAsync();
        bench.Front.Before = (method, _) => wasTold |= method == nameof(ITaskStore.CommitAsync) && !run.IsCancellationRequested;

        (await bench.CallAsync("cancel_task", Self)).IsExactly("""{"status":"accepted","root_task_id":"run-1","cancelled_count":2}""");

        Assert.True(wasTold, "The store was told after the run was cancelled.");
        Assert.True(run.IsCancellationRequested);
        Assert.Equal("run:run-1", (await bench.Manager.WaitAsync(child, Bench.Stop)).CancelledBy);
    }

    [Fact]
    public async Task A_run_that_has_no_tasks_is_still_cancelled_and_one_that_is_over_harms_nobody()
    {
        await using var bench = await Bench.StartAsync();
        using var run = new CancellationTokenSource();
        using (ToolCallScope.Begin("run-1", "call-1", "planner", run))
        {
            (await bench.CallAsync("cancel_task", Self)).IsExactly("""{"status":"accepted","root_task_id":"run-1","cancelled_count":1}""");
        }

        run.Dispose();
        using var over = new CancellationTokenSource();
        over.Dispose();
        using (ToolCallScope.Begin("run-2", "call-1", "planner", over))
        {
            Assert.Equal("task_not_found", (await bench.CallAsync("cancel_task", Self)).Text("error"));
        }
    }

    [Fact]
    public async Task Callbacks_that_block_or_throw_do_not_hold_the_call()
    {
        await using var bench = await Bench.StartAsync();
        using var run = new CancellationTokenSource();
        using var release = new ManualResetEventSlim();
        run.Token.Register(() => release.Wait(TimeSpan.FromSeconds(30)));
        run.Token.Register(() => throw new InvalidOperationException("A callback."));
        using var call = ToolCallScope.Begin("run-1", "call-1", "planner", run);

        Assert.Equal("accepted", (await bench.CallAsync("cancel_task", Self)).Text("status"));
        release.Set();
    }

    [Fact]
    public async Task Where_the_store_cannot_be_told_the_run_ends_all_the_same()
    {
        await using var bench = await Bench.StartAsync();
        using var run = new CancellationTokenSource();
        using var call = ToolCallScope.Begin("run-1", "call-1", "planner", run);
        bench.Front.Before = static (method, _) =>
        {
            if (method == nameof(ITaskStore.CommitAsync))
            {
                throw new TaskStoreException("The disk is gone.", isTransient: false) { IsKnownNotCommitted = true };
            }
        };

        (await bench.CallAsync("cancel_task", Self)).IsError("store_unavailable", "The disk is gone.");
        Assert.True(run.IsCancellationRequested);
        bench.Front.Before = static (_, _) => { };
    }

    [Fact]
    public async Task The_run_of_the_options_counts_where_no_call_names_one()
    {
        await using var bench = await Bench.StartAsync();
        await bench.SpawnLiveAsync(name: "researcher", lineage: new TaskLineage { RunId = "run-7" });
        var options = new BackgroundTaskToolOptions { RunId = "run-7" };

        using (ToolCallScope.Begin("", "call-1", "planner"))
        {
            Assert.Equal(1, (await bench.CallAsync("cancel_task", Researcher, options: options)).GetProperty("cancelled_count").GetInt32());
        }

        Assert.Equal("run-7", (await bench.CallAsync("cancel_task", Self, options: options)).Text("root_task_id"));
    }

    [Theory]
    [InlineData(Self)]
    [InlineData(Researcher)]
    public async Task Without_a_task_or_a_run_it_says_so(string target)
    {
        await using var bench = await Bench.StartAsync();

        (await bench.CallAsync("cancel_task", target)).IsError("current_task_unavailable", "no background task and no run");
    }
}
