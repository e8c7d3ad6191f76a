using System.Text.Json;

namespace Coppice.Agents.Tests;

public sealed class WaitForTasksTests
{
    [Theory]
    [InlineData(StoreKind.Memory)]
    [InlineData(StoreKind.Sqlite)]
    public async Task It_waits_for_all_live_tasks_of_the_thread_and_returns_their_results(StoreKind kind)
    {
        await using var bench = await Bench.StartAsync(kind);
        var (a, b) = (new GatedBody(), new GatedBody());
        await bench.SpawnEndedAsync("\"before\"");
        await bench.SpawnLiveAsync("t2");
        var first = await SpawnAsync(bench, a);
        var second = await SpawnAsync(bench, b);

        var waiting = bench.CallAsync("wait_for_tasks", "{}");
        b.Fail("boom");
        await bench.Manager.WaitAsync(second, Bench.Stop);
        Assert.False(waiting.IsCompleted);
        a.Complete(TaskOutcome.Success("done"));
        var answer = await waiting;

        Assert.Equal([first, second], answer.Ids("ended"));
        Assert.Equal("done", answer.GetProperty("ended")[0].Text("result"));
        Assert.Equal("boom", answer.GetProperty("ended")[1].Text("error"));
        Assert.Empty(answer.Ids("live"));
        Assert.False(answer.GetProperty("timed_out").GetBoolean());
    }

    [Fact]
    public async Task While_it_waits_the_store_is_not_read()
    {
        await using var bench = await Bench.StartAsync();
        var (a, b) = (new GatedBody(), new GatedBody());
        await SpawnAsync(bench, a);
        await SpawnAsync(bench, b);

        var waiting = bench.CallAsync("wait_for_tasks", "{}");
        Assert.False(waiting.IsCompleted);
        var reads = bench.Front.Reads;
        (await a.WaitUntilStartedAsync(cancellationToken: Bench.Stop)).Emit("progress", 1);
        a.Complete();
        b.Complete(TaskOutcome.Success("all of it"));
        var answer = await waiting;

        Assert.Equal(1, reads);
        Assert.Equal(reads, bench.Front.Reads);
        Assert.Equal("all of it", answer.GetProperty("ended")[1].Text("result"));
    }

    [Fact]
    public async Task An_end_while_it_begins_to_wait_is_not_missed()
    {
        await using var bench = await Bench.StartAsync();
        var body = new GatedBody();
        var id = await SpawnAsync(bench, body);

        // It ends when the tool listens already and has not looked yet.
        bench.Front.Before = (method, _) =>
        {
            if (method == nameof(ITaskStore.ListAsync))
            {
                bench.Front.Before = static (_, _) => { };
                body.Complete();
                Assert.True(bench.Manager.WaitAsync(id, Bench.Stop).Wait(TimeSpan.FromSeconds(30), Bench.Stop));
            }
        };
        var byList = await bench.CallAsync("wait_for_tasks", "{}");
        Assert.Empty(byList.Ids("live"));

        var next = new GatedBody();
        id = await SpawnAsync(bench, next);
        var waiting = bench.CallAsync("wait_for_tasks", $$"""{"task_ids":["{{id}}"]}""");
        next.Complete();
        Assert.Equal([id], (await waiting).Ids("ended"));
    }

    [Fact]
    public async Task Any_returns_at_the_first_end_and_count_when_that_many_have()
    {
        await using var bench = await Bench.StartAsync();
        var bodies = Enumerable.Range(0, 3).Select(_ => new GatedBody()).ToArray();
        var ids = new List<string>();
        foreach (var body in bodies)
        {
            ids.Add(await SpawnAsync(bench, body));
        }

        var any = bench.CallAsync("wait_for_tasks", """{"mode":"any"}""");
        var two = bench.CallAsync("wait_for_tasks", """{"count":2}""");
        bodies[1].Complete();
        var first = await any;
        Assert.False(two.IsCompleted);
        bodies[2].Complete();
        var second = await two;

        Assert.Equal([ids[1]], first.Ids("ended"));
        Assert.Equal([ids[0], ids[2]], first.Ids("live"));
        Assert.Equal([ids[1], ids[2]], second.Ids("ended"));
        Assert.Equal([ids[0]], second.Ids("live"));
    }

    [Fact]
    public async Task What_has_ended_before_counts_and_no_task_at_all_is_no_wait()
    {
        await using var bench = await Bench.StartAsync();
        (await bench.CallAsync("wait_for_tasks", "{}")).IsExactly("""{"timed_out":false,"ended":[],"live":[]}""");

        var ended = await bench.SpawnEndedAsync("1");
        var live = await bench.SpawnLiveAsync();
        var answer = await bench.CallAsync("wait_for_tasks", $$"""{"task_ids":["{{live}}","{{ended.TaskId}}","{{live}}"],"mode":"any"}""");

        Assert.Equal([ended.TaskId], answer.Ids("ended"));
        Assert.Equal([live], answer.Ids("live"));
    }

    [Fact]
    public async Task When_the_time_is_over_it_says_so_and_the_tasks_go_on()
    {
        await using var bench = await Bench.StartAsync();
        var id = await bench.SpawnLiveAsync();

        var waiting = bench.CallAsync("wait_for_tasks", "{}");
        bench.Test.Clock.Advance(TimeSpan.FromSeconds(59));
        Assert.False(waiting.IsCompleted);
        bench.Test.Clock.Advance(TimeSpan.FromSeconds(1));
        var answer = await waiting;

        Assert.True(answer.GetProperty("timed_out").GetBoolean());
        Assert.Equal([id], answer.Ids("live"));
        Assert.Equal(60_000, answer.GetProperty("live")[0].GetProperty("age_ms").GetInt64());
        Assert.True(await bench.Manager.HasRunningAsync("t1", Bench.Stop));
    }

    [Fact]
    public async Task No_time_at_all_is_a_look()
    {
        await using var bench = await Bench.StartAsync();
        var live = await bench.SpawnLiveAsync();

        var answer = await bench.CallAsync("wait_for_tasks", """{"timeout_seconds":0}""");

        Assert.True(answer.GetProperty("timed_out").GetBoolean());
        Assert.Equal([live], answer.Ids("live"));
    }

    [Fact]
    public async Task Tasks_of_another_thread_are_not_found()
    {
        await using var bench = await Bench.StartAsync();
        var own = await bench.SpawnLiveAsync();
        var strange = await bench.SpawnLiveAsync("t2");

        (await bench.CallAsync("wait_for_tasks", $$"""{"task_ids":["{{own}}","{{strange}}"]}""")).IsError("task_not_found", strange);
    }

    [Theory]
    [InlineData("""{"mode":"any","count":1}""", "either 'mode' or 'count'")]
    [InlineData("""{"task_ids":["bg_0"],"count":2}""", "'count' is 2; it must be from 1 to the number of tasks, which is 1.")]
    [InlineData("""{"timeout_seconds":601}""", "'timeout_seconds' is 601; it must be a number from 0 to 600.")]
    [InlineData("""{"timeout_seconds":-1}""", "'timeout_seconds' is -1")]
    [InlineData("""{"task_ids":[]}""", "'task_ids' has 0 items; it must have from 1 to 200.")]
    [InlineData("""{"task_ids":[7]}""", "'task_ids[0]' must be a string; it is a number.")]
    [InlineData("""{"mode":"some"}""", "'mode' is 'some'; it must be one of any, all.")]
    public async Task Wrong_arguments_are_told(string arguments, string fault)
    {
        await using var bench = await Bench.StartAsync();
        await bench.SpawnLiveAsync();

        (await bench.CallAsync("wait_for_tasks", arguments)).IsError("invalid_arguments", fault);
    }

    [Fact]
    public async Task The_longest_wait_is_an_option()
    {
        await using var bench = await Bench.StartAsync();
        await bench.SpawnLiveAsync();
        var options = new BackgroundTaskToolOptions { MaxWait = TimeSpan.FromSeconds(5) };

        (await bench.CallAsync("wait_for_tasks", """{"timeout_seconds":6}""", options: options)).IsError("invalid_arguments", "from 0 to 5");
        var waiting = bench.CallAsync("wait_for_tasks", "{}", options: options);
        bench.Test.Clock.Advance(TimeSpan.FromSeconds(5));
        Assert.True((await waiting).GetProperty("timed_out").GetBoolean());
    }

    [Fact]
    public async Task A_call_that_is_given_up_ends_the_wait_and_leaves_no_watcher()
    {
        await using var bench = await Bench.StartAsync();
        await bench.SpawnLiveAsync();
        using var stop = new CancellationTokenSource();
        var tool = bench.Tool("wait_for_tasks");

        var waiting = tool.CallAsync(ToolCalls.Arguments("{}"), stop.Token);
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    [Fact]
    public async Task A_manager_that_is_disposed_ends_the_wait()
    {
        await using var store = new InMemoryTaskStore();
        var manager = await BackgroundTaskManager.StartAsync(store, new() { ShutdownGracePeriod = TimeSpan.Zero }, Bench.Stop);
        var body = new GatedBody { IgnoresCancellation = true };
        await manager.SpawnAsync("t1", body.RunAsync, cancellationToken: Bench.Stop);
        var wait = BackgroundTaskTools.For(manager, "t1").Single(tool => tool.Name == "wait_for_tasks");

        var waiting = wait.CallAsync("{}");
        await manager.DisposeAsync();
        body.Complete();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => wait.CallAsync("{}"));
    }

    [Fact]
    public async Task A_watch_that_was_overrun_looks_again_at_the_same_tasks()
    {
        await using var bench = await Bench.StartAsync(configure: options => options.MaxWatchBacklog = 1);
        var (a, b) = (new GatedBody(), new GatedBody());
        var first = await SpawnAsync(bench, a);
        var second = await SpawnAsync(bench, b);

        var waiting = bench.CallAsync("wait_for_tasks", "{}");
        var context = await a.WaitUntilStartedAsync(cancellationToken: Bench.Stop);
        for (var i = 0; i < 500; i++)
        {
            context.Emit("progress", i);
        }

        a.Complete();
        b.Complete();
        var answer = await waiting;

        Assert.Equal([first, second], answer.Ids("ended"));
    }

    [Fact]
    public async Task Long_results_share_the_room_that_an_answer_has()
    {
        await using var bench = await Bench.StartAsync();
        var ids = new List<string>();
        for (var i = 0; i < 6; i++)
        {
            ids.Add((await bench.SpawnEndedAsync($"\"{new string('x', 150)}\"")).TaskId);
        }

        var options = new BackgroundTaskToolOptions { ResultPageChars = 100 };
        var answer = await bench.CallAsync("wait_for_tasks", $$"""{"task_ids":{{JsonSerializer.Serialize(ids)}}}""", options: options);
        var ended = answer.GetProperty("ended").EnumerateArray().ToList();

        Assert.All(ended[..4], task => Assert.Equal(100, task.GetProperty("result_page").GetProperty("next_offset").GetInt32()));
        Assert.All(ended[4..], task => Assert.False(task.Has("result") || task.Has("result_page")));
        Assert.All(ended, task => Assert.Equal(152, task.GetProperty("result_bytes").GetInt32()));
    }

    [Fact]
    public async Task More_than_two_hundred_tasks_are_waited_for_and_counted()
    {
        await using var bench = await Bench.StartAsync();
        var body = new GatedBody();
        for (var i = 0; i < 203; i++)
        {
            await SpawnAsync(bench, body);
        }

        var look = await bench.CallAsync("wait_for_tasks", """{"timeout_seconds":0}""");
        Assert.Equal(200, look.Ids("live").Length);
        Assert.Equal(3, look.GetProperty("more_live").GetInt32());

        var waiting = bench.CallAsync("wait_for_tasks", "{}");
        body.Complete();
        var answer = await waiting;
        Assert.Equal(200, answer.Ids("ended").Length);
        Assert.Equal(3, answer.GetProperty("more_ended").GetInt32());
    }

    private static async Task<string> SpawnAsync(Bench bench, GatedBody body) =>
        await bench.Manager.SpawnAsync("t1", body.RunAsync, cancellationToken: Bench.Stop);
}
