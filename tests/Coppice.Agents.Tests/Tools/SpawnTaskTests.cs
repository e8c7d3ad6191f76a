using System.Text.Json;
using System.Text.Json.Serialization;
using Coppice.StoreContract;
using Microsoft.Extensions.AI;

namespace Coppice.Agents.Tests;

/// <summary>The tool with which a model spawns tasks of registered kinds.</summary>
public sealed partial class SpawnTaskTests
{
    private static readonly TaskKind<Page, int> Crawl = new("crawl", SpawnJson.Default.Page, SpawnJson.Default.Int32) { Description = "Reads a page." };

    private static readonly TaskKind<Node, int> Sum = new("sum", SpawnJson.Default.Node, SpawnJson.Default.Int32) { Description = "Adds a tree up." };

    private static readonly TaskKind<string, string> Secret = new("secret", SpawnJson.Default.String, SpawnJson.Default.String);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(StoreKind.Memory)]
    [InlineData(StoreKind.Sqlite)]
    public async Task It_spawns_a_task_of_the_thread_and_answers_at_once(StoreKind kind)
    {
        var body = new Signal();
        await using var bench = await Bench.StartAsync(kind, options => options.Tasks.Add(Crawl, async (page, _) => { await body.Task; return page.Depth; }));

        JsonElement answer;
        using (ToolCallScope.Begin("run-1", "call-9", "planner", null))
        {
            answer = await bench.CallAsync("spawn_task", """{"kind":"crawl","input":{"url":"x","depth":3},"name":"pages"}""");
        }

        Assert.Equal("""{"status":"accepted","task_id":"bg_0"}""", answer.GetRawText());
        body.Set();
        var ended = await bench.Manager.WaitAsync("bg_0", Stop).Within();
        Assert.Equal(("t1", "crawl", "pages", 3), (ended.OwnerThreadId, ended.Work?.Kind, ended.Name, ended.Result?.GetInt32()));
        Assert.Equal(new TaskLineage { RunId = "run-1", CallId = "call-9", AgentId = "planner" }, ended.Lineage);
    }

    [Fact]
    public async Task A_model_spawns_and_is_told_of_the_end()
    {
        await using var bench = await Bench.StartAsync(configure: Register);
        var model = new ScriptedChatClient()
            .Asks("spawn_task", new() { ["kind"] = "crawl", ["input"] = JsonElement.Parse("""{"url":"x","depth":"deep"}""") })
            .Asks("spawn_task", new() { ["kind"] = "crawl", ["input"] = JsonElement.Parse("""{"url":"x","depth":5}""") })
            .Says("I wait.").Says("It was 5.");
        var client = model.WithBackgroundTasks(bench.Manager, "t1", new() { WhenTasksRemain = WhenTasksRemain.Wait });

        var response = await client.GetResponseAsync("go", new ChatOptions { Tools = [.. BackgroundTaskTools.For(bench.Manager, "t1")] }, Stop);

        Assert.EndsWith("It was 5.", response.Text, StringComparison.Ordinal);
        var corrected = Assert.IsType<JsonElement>(model.Calls[1].Messages.SelectMany(message => message.Contents).OfType<FunctionResultContent>().Last().Result);
        Assert.Equal("invalid_arguments", corrected.Text("error"));
        Assert.Contains("depth", corrected.Text("message"), StringComparison.Ordinal);
        Assert.Contains("depth", corrected.GetProperty("input_schema").GetRawText(), StringComparison.Ordinal);
        Assert.Contains("\"result\":5", string.Concat(model.Calls.Select(call => call.InternalText)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Its_schema_has_the_input_of_one_kind_itself_and_of_several_a_choice()
    {
        await using var bench = await Bench.StartAsync(configure: Register);

        var one = bench.Tool("spawn_task", options: new() { Kinds = ["crawl"] }).JsonSchema.GetProperty("properties");
        var both = bench.Tool("spawn_task", options: new() { Kinds = ["sum", "crawl"] }).JsonSchema.GetProperty("properties");

        Assert.Equal("""["crawl"]""", one.GetProperty("kind").GetProperty("enum").GetRawText());
        Assert.Equal("The input of kind 'crawl'.", one.GetProperty("input").Text("description"));
        Assert.Contains("integer", one.GetProperty("input").GetProperty("properties").GetProperty("depth").GetRawText(), StringComparison.Ordinal);
        Assert.Equal("""["url","depth"]""", one.GetProperty("input").GetProperty("required").GetRawText());
        Assert.Equal("""["crawl","sum"]""", both.GetProperty("kind").GetProperty("enum").GetRawText());
        Assert.Equal(
            ["The input of kind 'crawl'.", "The input of kind 'sum'."],
            both.GetProperty("input").GetProperty("anyOf").EnumerateArray().Select(each => each.Text("description")));
        Assert.Contains("'sum': Adds a tree up.", bench.Tool("spawn_task").Description, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pointers_in_an_input_that_holds_itself_point_to_where_it_stands()
    {
        await using var bench = await Bench.StartAsync(configure: Register);

        var one = bench.Tool("spawn_task", options: new() { Kinds = ["sum"] }).JsonSchema.GetRawText();
        var both = bench.Tool("spawn_task", options: new() { Kinds = ["sum", "crawl"] }).JsonSchema.GetRawText();

        Assert.Contains("\"$ref\":\"#/properties/input", one, StringComparison.Ordinal);
        Assert.Contains("\"$ref\":\"#/properties/input/anyOf/1", both, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Offered_is_what_is_no_agent_or_what_is_named()
    {
        await using var bench = await Bench.StartAsync(configure: options =>
        {
            Register(options);
            options.Tasks.AddAgent(new ChatAgent("helper", new ScriptedChatClient()) { Description = "Helps." });
        });

        Assert.Equal(["crawl", "secret", "sum"], Offered(null));
        Assert.Equal(["agent:helper", "secret"], Offered(["secret", "agent:helper"]));
        Assert.DoesNotContain(BackgroundTaskTools.For(bench.Manager, "t1", new() { Kinds = [] }), static tool => tool.Name == "spawn_task");
        var thrown = Assert.Throws<ArgumentException>(() => Offered(["crawl", "crawls"]));
        Assert.Contains("'crawls'", thrown.Message, StringComparison.Ordinal);
        Assert.Equal("invalid_arguments", (await bench.CallAsync("spawn_task", """{"kind":"secret","input":"x"}""", options: new() { Kinds = ["crawl"] })).Text("error"));

        IEnumerable<string?> Offered(string[]? kinds) => bench.Tool("spawn_task", options: new() { Kinds = kinds }).JsonSchema
            .GetProperty("properties").GetProperty("kind").GetProperty("enum").EnumerateArray().Select(kind => kind.GetString());
    }

    [Theory]
    [InlineData("""{"kind":"crawl"}""", "input")]
    [InlineData("""{"kind":"crawls","input":{}}""", "crawl, secret, sum")]
    [InlineData("""{"input":{"url":"x","depth":1}}""", "kind")]
    [InlineData("""{"kind":"crawl","input":"x"}""", "object")]
    [InlineData("""{"kind":"crawl","input":null}""", "object")]
    [InlineData("""{"kind":"crawl","input":{"url":"x"}}""", "input.depth")]
    [InlineData("""{"kind":"crawl","input":{"url":"x","depth":"one"}}""", "depth")]
    [InlineData("""{"kind":"crawl","input":{"url":"x","depth":1,"deep":true}}""", "deep")]
    [InlineData("""{"kind":"crawl","input":{"url":"x","depth":1},"delay_seconds":-1}""", "delay_seconds")]
    [InlineData("""{"kind":"crawl","input":{"url":"x","depth":1},"delay_seconds":1e10}""", "delay_seconds")]
    [InlineData("""{"kind":"crawl","input":{"url":"x","depth":1},"idempotency_key":""}""", "idempotency_key")]
    [InlineData("""{"kind":"crawl","input":{"url":"\ud800","depth":1}}""", "url")]
    [InlineData("""{"kind":"crawl","input":{"url":"x","depth":1},"name":"a\ud800"}""", "name")]
    public async Task A_wrong_argument_is_an_answer_that_says_what_is_allowed(string arguments, string word)
    {
        await using var bench = await Bench.StartAsync(configure: Register);

        var answer = await bench.CallAsync("spawn_task", arguments);

        Assert.Equal("invalid_arguments", answer.Text("error"));
        Assert.Contains(word, answer.Text("message"), StringComparison.Ordinal);
        Assert.Empty(await bench.Manager.ListAsync("t1", Stop));
    }

    [Fact]
    public async Task A_key_finds_the_task_again_and_says_what_became_of_it()
    {
        await using var bench = await Bench.StartAsync(configure: Register);
        const string arguments = """{"kind":"crawl","input":{"url":"x","depth":1},"idempotency_key":"daily"}""";

        await bench.CallAsync("spawn_task", arguments);
        await bench.Manager.WaitAsync("bg_0", Stop).Within();
        var again = await bench.CallAsync("spawn_task", arguments);
        var other = await bench.CallAsync("spawn_task", """{"kind":"sum","input":{"value":1,"children":[]},"idempotency_key":"daily"}""");

        Assert.Equal("""{"status":"accepted","task_id":"bg_0","task_status":"completed"}""", again.GetRawText());
        Assert.Equal("idempotency_key_reused", other.Text("error"));
        Assert.Equal("reserved_name", (await bench.CallAsync("spawn_task", """{"kind":"sum","input":{"value":1,"children":[]},"name":"bg_7"}""")).Text("error"));
    }

    [Fact]
    public async Task A_task_that_is_put_off_is_shown_with_its_time_and_begins_then()
    {
        await using var bench = await Bench.StartAsync(configure: Register);

        await bench.CallAsync("spawn_task", """{"kind":"crawl","input":{"url":"x","depth":1},"delay_seconds":90.5}""");
        var task = Assert.Single((await bench.CallAsync("list_tasks", "{}")).GetProperty("tasks").EnumerateArray().ToList());

        Assert.Equal(("crawl", "pending", "not_due"), (task.Text("kind"), task.Text("status"), task.Text("pending_reason")));
        Assert.Equal(task.GetProperty("created_at_ms").GetInt64() + 90_500, task.GetProperty("due_at_ms").GetInt64());
        bench.Test.Clock.Advance(TimeSpan.FromSeconds(91));
        Assert.Equal(TaskState.Completed, (await bench.Manager.WaitAsync("bg_0", Stop).Within()).State);
    }

    private static void Register(BackgroundTaskOptions options)
    {
        options.Tasks.Add(Sum, static (node, _) => Task.FromResult(node.Value));
        options.Tasks.Add(Crawl, static (page, _) => Task.FromResult(page.Depth));
        options.Tasks.Add(Secret, static (text, _) => Task.FromResult(text));
    }

    internal sealed record Page(string Url, int Depth);

    internal sealed record Node(int Value, IReadOnlyList<Node> Children);

    [JsonSourceGenerationOptions(
        JsonSerializerDefaults.Web, RespectRequiredConstructorParameters = true, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
    [JsonSerializable(typeof(Page))]
    [JsonSerializable(typeof(Node))]
    [JsonSerializable(typeof(string))]
    [JsonSerializable(typeof(int))]
    private sealed partial class SpawnJson : JsonSerializerContext;
}
