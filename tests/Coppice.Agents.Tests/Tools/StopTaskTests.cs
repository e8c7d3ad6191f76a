namespace Coppice.Agents.Tests;

public sealed class StopTaskTests
{
    [Fact]
    public async Task What_became_of_each_task_of_the_tree_is_told()
    {
        await using var bench = await Bench.StartAsync();
        var finishes = new GatedBody { IgnoresCancellation = true };
        var ignores = new GatedBody { IgnoresCancellation = true };
        var root = await bench.SpawnLiveAsync(name: "root");
        var first = await bench.Manager.SpawnAsync("t1", finishes.RunAsync, new() { Lineage = new() { TaskId = root } }, Bench.Stop);
        var stubborn = await bench.Manager.SpawnAsync("t1", ignores.RunAsync, new() { Lineage = new() { TaskId = root } }, Bench.Stop);
        var armed = bench.Test.Clock.NextArmedAsync();

        var stopping = bench.CallAsync("stop_task", """{"task":"root","grace_seconds":10}""");
        await armed.WaitAsync(Bench.Stop);
        finishes.Complete();
        await bench.Manager.WaitAsync(first, Bench.Stop);
        await bench.Manager.WaitAsync(root, Bench.Stop);
        bench.Test.Clock.Advance(TimeSpan.FromSeconds(10));

        var receipt = await stopping;
        ignores.Complete();
        Assert.StartsWith(
            $$"""{"status":"accepted","root_task_id":"{{root}}","cancelled_count":3,"stopped":1,"finished_first":1,"still_running":1,""", receipt.GetRawText(), StringComparison.Ordinal);
        Assert.Equal(
            [$"{root} stopped cancelled", $"{first} finished_first completed", $"{stubborn} still_running running"],
            receipt.GetProperty("tasks").EnumerateArray().Select(t => $"{t.Text("task_id")} {t.Text("outcome")} {t.Text("status")}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_task_that_stops_itself_does_not_wait_for_itself()
    {
        await using var bench = await Bench.StartAsync();
        var id = await bench.Manager.SpawnAsync(
            "t1", async task => TaskOutcome.Success(await bench.CallAsync("stop_task", $$"""{"task":"{{task.TaskId}}"}""")), null, Bench.Stop);

        var ended = await bench.Manager.WaitAsync(id, Bench.Stop);

        Assert.Equal(1, ended.Result!.Value.GetProperty("still_running").GetInt32());
    }

    [Fact]
    public async Task Nothing_live_and_another_threads_task_are_not_found()
    {
        await using var bench = await Bench.StartAsync();
        var ended = await bench.SpawnEndedAsync("1");
        var elsewhere = await bench.SpawnLiveAsync("t2");

        Assert.Equal("task_not_found", (await bench.CallAsync("stop_task", $$"""{"task":"{{ended.TaskId}}"}""")).Text("error"));
        Assert.Equal("task_not_found", (await bench.CallAsync("stop_task", $$"""{"task":"{{elsewhere}}"}""")).Text("error"));
        Assert.Equal("invalid_arguments", (await bench.CallAsync("stop_task", """{"task":"x","grace_seconds":61}""")).Text("error"));
        Assert.Null((await bench.Manager.GetAsync(elsewhere, Bench.Stop))!.CancelRequestedAt);
    }
}
