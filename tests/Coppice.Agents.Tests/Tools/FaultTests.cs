namespace Coppice.Agents.Tests;

public sealed class FaultTests
{
    [Theory]
    [InlineData("list_tasks", "{}")]
    [InlineData("get_task", """{"task_id":"bg_0"}""")]
    [InlineData("wait_for_tasks", "{}")]
    [InlineData("cancel_task", """{"target":{"relation":"child","name":"x"}}""")]
    public async Task A_store_that_fails_is_an_answer_with_its_code(string tool, string arguments)
    {
        await using var bench = await Bench.StartAsync();
        using var call = ToolCallScope.Begin("run-1", "call-1", "planner");
        Fail(bench, new TaskStoreException("The disk is full.", isTransient: true, code: "store_full"));

        (await bench.CallAsync(tool, arguments)).IsError("store_full", "The disk is full.");
    }

    [Fact]
    public async Task A_fault_that_nobody_meant_to_show_is_told_by_its_kind_only()
    {
        await using var bench = await Bench.StartAsync();
        Fail(bench, new FormatException("password=secret"));

        var answer = await bench.CallAsync("list_tasks", "{}");

        answer.IsError("tool_failed", "FormatException");
        Assert.DoesNotContain("secret", answer.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cancellation_that_is_not_the_calls_own_is_an_answer_too()
    {
        await using var bench = await Bench.StartAsync();
        Fail(bench, new OperationCanceledException());

        (await bench.CallAsync("list_tasks", "{}")).IsError("tool_failed", "OperationCanceledException");
    }

    [Fact]
    public async Task The_calls_own_cancellation_and_a_disposed_manager_pass_through()
    {
        await using var bench = await Bench.StartAsync();
        using var stop = new CancellationTokenSource();
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => bench.Tool("list_tasks").CallAsync(ToolCalls.Arguments("{}"), stop.Token));
        await bench.Manager.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => bench.CallAsync("list_tasks", "{}"));
    }

    [Fact]
    public async Task Tools_may_be_called_at_the_same_time()
    {
        await using var bench = await Bench.StartAsync();
        using var call = ToolCallScope.Begin("run-1", "call-1", "planner");
        var names = Enumerable.Range(0, 50).Select(i => $"task-{i}").ToList();
        foreach (var name in names)
        {
            await bench.SpawnLiveAsync(name: name);
        }

        var cancel = bench.Tool("cancel_task");
        var list = bench.Tool("list_tasks");
        var wait = bench.CallAsync("wait_for_tasks", "{}");
        var receipts = await Task.WhenAll(names.Select(name => Task.Run(async () =>
        {
            await list.CallAsync("{}");
            return await cancel.CallAsync($$$"""{"target":{"relation":"child","name":"{{{name}}}"}}""");
        })));

        Assert.All(receipts, receipt => Assert.Equal("accepted", receipt.Text("status")));
        Assert.Equal(50, (await wait).Ids("ended").Length);
    }

    private static void Fail(Bench bench, Exception fault) => bench.Front.Before = (method, _) =>
    {
        if (method is nameof(ITaskStore.GetAsync) or nameof(ITaskStore.ListAsync) or nameof(ITaskStore.FindLiveChildAsync))
        {
            throw fault;
        }
    };
}
