using System.Text.Json;

namespace Coppice.Agents.Tests;

public sealed class ListTasksTests
{
    [Theory]
    [InlineData(StoreKind.Memory)]
    [InlineData(StoreKind.Sqlite)]
    public async Task Live_tasks_of_the_thread_come_oldest_first(StoreKind kind)
    {
        await using var bench = await Bench.StartAsync(kind);
        await bench.SpawnEndedAsync("1");
        var first = await bench.SpawnLiveAsync();
        await bench.SpawnLiveAsync("t2");
        var second = await bench.SpawnLiveAsync(name: "b");

        Assert.Equal([first, second], (await bench.CallAsync("list_tasks", "{}")).Ids("tasks"));
        Assert.Equal([second], (await bench.CallAsync("list_tasks", """{"name":"b"}""")).Ids("tasks"));
    }

    [Fact]
    public async Task A_task_is_as_on_the_wire_with_the_size_of_its_result_and_its_ages()
    {
        await using var bench = await Bench.StartAsync();
        var created = bench.Test.Clock.GetUtcNow().ToUnixTimeMilliseconds();
        var body = new GatedBody();
        var id = await bench.Manager.SpawnAsync(
            "t1",
            body.RunAsync,
            new()
            {
                Name = "crawler",
                Type = "crawl",
                Description = "fetch <pages>",
                Lineage = new() { RunId = "run-1", AgentId = "planner" },
            },
            Bench.Stop);
        bench.Test.Clock.Advance(TimeSpan.FromMilliseconds(950));
        body.Complete(TaskOutcome.Success(JsonElement.Parse("""{"pages":3}""")));
        await bench.Manager.WaitAsync(id, Bench.Stop);
        bench.Test.Clock.Advance(TimeSpan.FromMilliseconds(50));

        (await bench.CallAsync("list_tasks", """{"status":"all"}""")).IsExactly(
            $$$"""{"tasks":[{"task_id":"{{{id}}}","owner_thread_id":"t1","task_type":"crawl","name":"crawler","description":"fetch \u003Cpages\u003E","status":"completed","result_bytes":11,"created_at_ms":{{{created}}},"completed_at_ms":{{{created + 950}}},"parent_context":{"run_id":"run-1","agent_id":"planner"},"age_ms":1000,"elapsed_ms":950}]}""");
    }

    [Fact]
    public async Task What_a_task_does_not_have_is_left_out()
    {
        await using var bench = await Bench.StartAsync();
        await bench.SpawnLiveAsync();

        var task = (await bench.CallAsync("list_tasks", "{}")).GetProperty("tasks")[0];

        Assert.Equal(
            ["task_id", "owner_thread_id", "task_type", "description", "status", "created_at_ms", "age_ms", "elapsed_ms"],
            task.EnumerateObject().Select(each => each.Name));
    }

    [Theory]
    [InlineData("all", 4)]
    [InlineData("completed", 1)]
    [InlineData("failed", 1)]
    [InlineData("cancelled", 1)]
    [InlineData("running", 1)]
    [InlineData("live", 1)]
    [InlineData("pending", 0)]
    [InlineData("input_required", 0)]
    public async Task The_status_narrows_the_list(string status, int count)
    {
        await using var bench = await Bench.StartAsync();
        await bench.SpawnLiveAsync();
        await bench.SpawnEndedAsync("1");
        await bench.SpawnEndedAsync(TaskOutcome.Failure("boom"));
        await bench.SpawnEndedAsync(TaskOutcome.Cancelled);

        var answer = await bench.CallAsync("list_tasks", $$"""{"status":"{{status}}"}""");

        Assert.Equal(count, answer.GetProperty("tasks").GetArrayLength());
    }

    [Theory]
    [InlineData(StoreKind.Memory)]
    [InlineData(StoreKind.Sqlite)]
    public async Task The_cursor_goes_on_where_the_page_before_ended(StoreKind kind)
    {
        await using var bench = await Bench.StartAsync(kind);
        var ids = new List<string>();
        for (var i = 0; i < 7; i++)
        {
            ids.Add(await bench.SpawnLiveAsync());
            bench.Test.Clock.Advance(TimeSpan.FromMilliseconds(i % 2));
        }

        var seen = new List<string>();
        for (string? cursor = null; ;)
        {
            var page = await bench.CallAsync("list_tasks", cursor is null ? """{"limit":3}""" : $$"""{"limit":3,"cursor":"{{cursor}}"}""");
            seen.AddRange(page.Ids("tasks"));
            if (!page.Has("next_cursor"))
            {
                break;
            }

            Assert.Equal(3, page.Ids("tasks").Length);
            cursor = page.Text("next_cursor");
        }

        Assert.Equal(ids, seen);
    }

    [Theory]
    [InlineData("bg_7")]
    [InlineData(":bg_7")]
    [InlineData("123:")]
    [InlineData("99999999999999999:bg_7")]
    [InlineData("１２:bg_7")]
    public async Task A_cursor_that_was_never_given_is_refused(string cursor)
    {
        await using var bench = await Bench.StartAsync();

        (await bench.CallAsync("list_tasks", $$"""{"cursor":"{{cursor}}"}""")).IsError("invalid_arguments", "'cursor'");
    }

    [Fact]
    public async Task Fifty_are_listed_unless_more_are_asked_for()
    {
        await using var bench = await Bench.StartAsync();
        for (var i = 0; i < 51; i++)
        {
            await bench.SpawnEndedAsync("1");
        }

        Assert.Equal(50, (await bench.CallAsync("list_tasks", """{"status":"all"}""")).Ids("tasks").Length);
        Assert.Equal(51, (await bench.CallAsync("list_tasks", """{"status":"all","limit":200}""")).Ids("tasks").Length);
    }

    [Fact]
    public async Task Long_descriptions_and_errors_are_cut_between_characters()
    {
        await using var bench = await Bench.StartAsync();
        var text = new string('x', 999) + "😀 and more";
        await bench.SpawnEndedAsync(TaskOutcome.Failure(text), options: new() { Description = text });

        var task = (await bench.CallAsync("list_tasks", """{"status":"all"}""")).GetProperty("tasks")[0];

        Assert.Equal(new string('x', 999) + "…", task.Text("error"));
        Assert.Equal(new string('x', 999) + "…", task.Text("description"));
    }
}
