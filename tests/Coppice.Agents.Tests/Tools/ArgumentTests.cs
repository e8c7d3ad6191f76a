using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace Coppice.Agents.Tests;

/// <summary>What tools do with arguments that a model or a stranger got wrong.</summary>
public sealed class ArgumentTests
{
    [Theory]
    [InlineData("cancel_task", "{}", "'target' is missing.")]
    [InlineData("cancel_task", """{"target":null}""", "'target' must be an object with 'relation'; it is null.")]
    [InlineData("cancel_task", """{"target":"self"}""", "'target' must be an object with 'relation'; it is a string.")]
    [InlineData("cancel_task", """{"target":{}}""", "'target.relation' is missing; it must be one of self, child.")]
    [InlineData("cancel_task", """{"target":{"relation":"all"}}""", "'target.relation' is 'all'; it must be one of self, child.")]
    [InlineData("cancel_task", """{"target":{"relation":1}}""", "'target.relation' must be one of self, child; it is a number.")]
    [InlineData("cancel_task", """{"target":{"relation":"child"}}""", "'target.name' is missing.")]
    [InlineData("cancel_task", """{"target":{"relation":"child","name":""}}""", "'target.name' has 0 characters; it must have from 1 to 256.")]
    [InlineData("cancel_task", """{"target":{"relation":"child","name":["x"]}}""", "'target.name' must be a string; it is an array.")]
    [InlineData("cancel_task", """{"target":{"relation":"self","name":"x"}}""", "'target' has no property 'name'; its properties are relation.")]
    [InlineData("cancel_task", """{"target":{"relation":"self"},"force":true}""", "There is no property 'force'; its properties are target.")]
    [InlineData("send_message", """{"to":{"relation":"parent"}}""", "'message' is missing.")]
    [InlineData("send_message", """{"to":{"relation":"parent"},"message":{"text":"x"}}""", "'message' must be a string; it is an object.")]
    [InlineData("send_message", """{"to":{"relation":"agent"},"message":"x"}""", "'to.thread_id' is missing.")]
    [InlineData("list_tasks", """{"limit":0}""", "'limit' is 0; it must be a whole number from 1 to 200.")]
    [InlineData("list_tasks", """{"limit":201}""", "'limit' is 201")]
    [InlineData("list_tasks", """{"limit":1.5}""", "'limit' is 1.5")]
    [InlineData("list_tasks", """{"limit":1e400}""", "'limit' is 1e400")]
    [InlineData("list_tasks", """{"limit":"50"}""", "'limit' must be a whole number from 1 to 200; it is a string.")]
    [InlineData("list_tasks", """{"limit":true}""", "it is a boolean.")]
    [InlineData("list_tasks", """{"status":"done"}""", "'status' is 'done'; it must be one of live, all, pending, running, input_required, completed, failed, cancelled.")]
    [InlineData("list_tasks", """{"status":"LIVE"}""", "'status' is 'LIVE'")]
    [InlineData("list_tasks", """{"Status":"live"}""", "There is no property 'Status'")]
    [InlineData("list_tasks", """{"name":"\ud800"}""", "'name' holds text that is not valid Unicode.")]
    [InlineData("get_task", """{"task_id":"a\u0000b"}""", "NUL")]
    [InlineData("get_task", """{"task_id":"bg_1","offset":-1}""", "'offset' is -1")]
    public async Task What_is_wrong_is_told_with_its_place_and_what_is_allowed(string tool, string arguments, string fault)
    {
        await using var bench = await Bench.StartAsync();
        using var call = ToolCallScope.Begin("run-1", "call-1", "planner");

        (await bench.CallAsync(tool, arguments)).IsError("invalid_arguments", fault);
    }

    [Fact]
    public async Task Names_in_json_that_are_no_text_are_told()
    {
        await using var bench = await Bench.StartAsync();
        var target = JsonElement.Parse("""{"relation":"self","\ud800":1}""");

        (await bench.Tool("cancel_task").CallAsync(new AIFunctionArguments { ["target"] = target })).IsError("invalid_arguments", "Unicode");
        (await bench.Tool("cancel_task").CallAsync(new AIFunctionArguments { ["\ud800"] = 1 })).IsError("invalid_arguments", "");
    }

    [Fact]
    public async Task A_null_counts_as_left_out_where_the_argument_is_optional()
    {
        await using var bench = await Bench.StartAsync();

        (await bench.CallAsync("list_tasks", """{"status":null,"name":null,"limit":null,"cursor":null}""")).IsExactly("""{"tasks":[]}""");
    }

    [Fact]
    public async Task A_whole_number_may_be_written_with_a_point()
    {
        await using var bench = await Bench.StartAsync();

        (await bench.CallAsync("list_tasks", """{"limit":2.0}""")).IsExactly("""{"tasks":[]}""");
    }

    public static TheoryData<string> Forms => ["element", "document", "node", "dictionary", "values"];

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task Arguments_may_come_as_json_of_any_kind_or_as_plain_values(string form)
    {
        await using var bench = await Bench.StartAsync();
        using var call = ToolCallScope.Begin("run-1", "call-1", "planner");
        var child = await bench.SpawnLiveAsync(name: "researcher");
        const string Target = """{"relation":"child","name":"researcher"}""";
        using var document = JsonDocument.Parse(Target);
        object target = form switch
        {
            "element" => document.RootElement,
            "document" => document,
            "node" => JsonNode.Parse(Target)!,
            "dictionary" => new Dictionary<string, object?> { ["relation"] = "child", ["name"] = "researcher" },
            _ => new SortedList<string, object?> { ["relation"] = JsonValue.Create("child"), ["name"] = "researcher" },
        };

        Assert.Equal(child, (await bench.Tool("cancel_task").CallAsync(new AIFunctionArguments { ["target"] = target })).Text("root_task_id"));
        (await bench.Tool("list_tasks").CallAsync(new AIFunctionArguments { ["limit"] = 3, ["status"] = "pending" })).IsExactly("""{"tasks":[]}""");
        (await bench.Tool("list_tasks").CallAsync(new AIFunctionArguments { ["limit"] = 3L })).Ids("tasks");
        (await bench.Tool("list_tasks").CallAsync(new AIFunctionArguments { ["limit"] = 3.0 })).Ids("tasks");
        (await bench.Tool("wait_for_tasks").CallAsync(new AIFunctionArguments { ["task_ids"] = new[] { child }, ["timeout_seconds"] = 0m })).Ids("live");
    }

    [Fact]
    public async Task Values_that_are_no_json_are_told()
    {
        await using var bench = await Bench.StartAsync();
        var list = bench.Tool("list_tasks");
        using var disposed = JsonDocument.Parse("""{"a":"live"}""");
        var element = disposed.RootElement.GetProperty("a");
        disposed.Dispose();
        object nested = "deep";
        for (var i = 0; i < 5_000; i++)
        {
            nested = new List<object?> { nested };
        }

        (await list.CallAsync(new AIFunctionArguments { ["status"] = new Uri("https://example.org") })).IsError("invalid_arguments", "'status' is a .NET Uri");
        (await list.CallAsync(new AIFunctionArguments { ["limit"] = double.NaN })).IsError("invalid_arguments", "'limit' is a .NET Double");
        (await list.CallAsync(new AIFunctionArguments { ["name"] = "a\ud800" })).IsError("invalid_arguments", "'name' holds text that is not valid Unicode.");
        (await list.CallAsync(new AIFunctionArguments { ["status"] = nested })).IsError("invalid_arguments", "deep");
        (await list.CallAsync(new AIFunctionArguments { ["status"] = element })).IsError("invalid_arguments", "disposed");
        (await list.CallAsync(new AIFunctionArguments { ["status"] = disposed })).IsError("invalid_arguments", "disposed");
    }

    [Fact]
    public async Task Ten_megabytes_of_name_are_refused_and_not_sent_back()
    {
        await using var bench = await Bench.StartAsync();
        using var call = ToolCallScope.Begin("run-1", "call-1", "planner");
        var huge = new string('x', 10_000_000);
        var target = new Dictionary<string, object?> { ["relation"] = "child", ["name"] = huge };

        var byValue = await bench.Tool("cancel_task").CallAsync(new AIFunctionArguments { ["target"] = target });
        var byName = await bench.Tool("cancel_task").CallAsync(new AIFunctionArguments { [huge] = 1 });
        var byWord = await bench.Tool("list_tasks").CallAsync(new AIFunctionArguments { ["status"] = huge });

        byValue.IsError("invalid_arguments", "has 10000000 characters");
        Assert.All([byName, byWord], answer => Assert.InRange(answer.GetRawText().Length, 50, 500));
    }

    [Fact]
    public async Task Control_characters_and_tags_come_back_as_escapes()
    {
        await using var bench = await Bench.StartAsync();
        using var call = ToolCallScope.Begin("run-1", "call-1", "planner");

        var answer = await bench.CallAsync("cancel_task", """{"target":{"relation":"child","name":"\u001b[2J</background-task-event>\n"}}""");

        Assert.Equal("\u001b[2J</background-task-event>\n", answer.Text("root_task_id"));
        Assert.DoesNotContain(answer.GetRawText(), character => char.IsControl(character) || character is '<' or '>');
    }

    [Fact]
    public async Task Very_deep_json_is_a_wrong_type_like_any_other()
    {
        await using var bench = await Bench.StartAsync();
        var deep = JsonElement.Parse(new string('[', 60) + new string(']', 60));

        (await bench.Tool("list_tasks").CallAsync(new AIFunctionArguments { ["name"] = deep })).IsError("invalid_arguments", "it is an array.");
    }
}
