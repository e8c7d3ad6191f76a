using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Coppice.Agents.Tests.SubAgents;

/// <summary>Models that set sub-agents to work: <c>spawn_agent</c> and <c>continue_task</c>, directly and through a scripted model.</summary>
public sealed class SpawnAgentToolTests
{
    private const string Thread = "chat-1";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_tools_are_there_when_there_are_agents_and_name_them()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        var none = BackgroundTaskTools.For(test.Manager, Thread);
        var tools = Tools(test, new ChatAgent("researcher", new ScriptedChatClient()) { Description = "Finds things out." }, new ChatAgent("critic", new ScriptedChatClient()));

        Assert.DoesNotContain(none, tool => tool.Name is "spawn_agent" or "continue_task");
        var spawn = tools.Single(tool => tool.Name == "spawn_agent");
        Assert.Contains("'researcher': Finds things out. 'critic'", spawn.Description, StringComparison.Ordinal);
        Assert.Equal(
            """["researcher","critic"]""", spawn.JsonSchema.GetProperty("properties").GetProperty("agent").GetProperty("enum").GetRawText());
    }

    [Fact]
    public async Task A_model_spawns_a_sub_agent_is_told_its_result_and_asks_it_again()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        var first = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var second = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var researcher = new ChatAgent("researcher", new ScriptedChatClient().Then(_ => SayAfter(first, "Magellan's ship.")).Then(_ => SayAfter(second, "Drake.")));
        var model = new ScriptedChatClient()
            .Asks("spawn_agent", new() { ["agent"] = "researcher", ["prompt"] = "Who was first?", ["name"] = "first" }).Then(_ => SayAndLet(first, "I wait."))
            .Asks("continue_task", new() { ["task_id"] = "bg_0", ["prompt"] = "And second?" }).Then(_ => SayAndLet(second, "I wait again."))
            .Says("Magellan's ship, then Drake.");
        var client = model.WithBackgroundTasks(test.Manager, Thread, new() { WhenTasksRemain = WhenTasksRemain.Wait, CreateRunId = () => "run-1" });

        var response = await client.GetResponseAsync("Who sailed around the world?", new ChatOptions { Tools = [.. Tools(test, researcher)] }, Stop);

        Assert.Equal("""{"task_id":"bg_0","status":"running"}""", Result(model.Calls[1]));
        Assert.Contains("Magellan", model.Calls[2].InternalText, StringComparison.Ordinal);
        Assert.Equal("""{"task_id":"bg_1","status":"running","continues":"bg_0"}""", Result(model.Calls[3]));
        Assert.EndsWith("Magellan's ship, then Drake.", response.Text, StringComparison.Ordinal);
        var task = (await test.Manager.GetAsync("bg_0", Stop))!;
        Assert.Equal(("first", "run-1", "c0"), (task.Name, task.Lineage.RunId, task.Lineage.CallId));
        Assert.Equal("researcher: Who was first?", task.Description);
    }

    [Theory]
    [InlineData("""{"agent":"nobody","prompt":"go"}""", "researcher")]
    [InlineData("""{"agent":"researcher"}""", "prompt")]
    [InlineData("""{"agent":"researcher","prompt":""}""", "prompt")]
    [InlineData("""{"agent":"researcher","prompt":7}""", "prompt")]
    [InlineData("""{"agent":"researcher","prompt":"go","urgent":true}""", "urgent")]
    public async Task A_wrong_argument_is_an_answer_that_says_what_is_allowed(string json, string word)
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);

        var answer = await CallAsync(Tools(test, new ChatAgent("researcher", new ScriptedChatClient())), "spawn_agent", json);

        Assert.Equal("invalid_arguments", answer.GetProperty("error").GetString());
        Assert.Contains(word, answer.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_that_is_taken_is_an_answer()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        await test.Manager.SpawnAsync(Thread, c => c.WhenCancelledAsync(), new() { Name = "first" }, Stop);

        var answer = await CallAsync(
            Tools(test, new ChatAgent("researcher", new ScriptedChatClient())), "spawn_agent", """{"agent":"researcher","prompt":"go","name":"first"}""");

        Assert.Equal("duplicate_name", answer.GetProperty("error").GetString());
    }

    [Fact]
    public async Task What_cannot_be_continued_is_told_apart()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        var researcher = new ChatAgent("researcher", new ScriptedChatClient().Says("done"));
        var ended = await test.Manager.SpawnAgentAsync(Thread, researcher, "go", null, Stop);
        var elsewhere = await test.Manager.SpawnAgentAsync("chat-2", new ChatAgent("researcher", new ScriptedChatClient().Says("done")), "go", null, Stop);
        var plain = await test.Manager.SpawnAsync(Thread, _ => Task.CompletedTask, null, Stop);
        var live = await test.Manager.SpawnAgentAsync(Thread, async c => { await c.WhenCancelledAsync(); return TaskOutcome.Cancelled; }, null, Stop);
        await test.Manager.WaitAsync(ended, Stop);
        await test.Manager.WaitAsync(elsewhere, Stop);
        await test.Manager.WaitAsync(plain, Stop);
        var tools = Tools(test, researcher);
        var others = Tools(test, new ChatAgent("critic", new ScriptedChatClient()));

        Assert.Equal("task_not_found", await ErrorAsync(tools, "bg_99"));
        Assert.Equal("task_not_found", await ErrorAsync(tools, elsewhere));
        Assert.Equal("task_not_found", await ErrorAsync(tools, plain));
        Assert.Equal("task_still_running", await ErrorAsync(tools, live));
        Assert.Equal("agent_unavailable", await ErrorAsync(others, ended));
    }

    [Fact]
    public async Task Agents_of_one_name_are_refused()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        var model = new ScriptedChatClient();

        Assert.Throws<ArgumentException>(() => Tools(test, new ChatAgent("a", model), new ChatAgent("a", model)));
        Assert.Throws<ArgumentException>(() => new ChatAgent("", model));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ChatAgent(new string('é', 129), model));
    }

    private static async ValueTask<ChatResponse> SayAfter(TaskCompletionSource let, string text)
    {
        await let.Task.WaitAsync(Stop);
        return new ChatResponse(new ChatMessage(ChatRole.Assistant, text));
    }

    private static ValueTask<ChatResponse> SayAndLet(TaskCompletionSource let, string text)
    {
        let.SetResult();
        return new(new ChatResponse(new ChatMessage(ChatRole.Assistant, text)));
    }

    private static IReadOnlyList<AIFunction> Tools(TestManager test, params ChatAgent[] agents) =>
        BackgroundTaskTools.For(test.Manager, Thread, new() { Agents = agents });

    private static string? Result(ScriptedChatClient.Call call) =>
        call.Messages.SelectMany(m => m.Contents).OfType<FunctionResultContent>().Last().Result?.ToString();

    private static async Task<string?> ErrorAsync(IReadOnlyList<AIFunction> tools, string taskId) =>
        (await CallAsync(tools, "continue_task", $$"""{"task_id":"{{taskId}}","prompt":"go on"}""")).GetProperty("error").GetString();

    private static async Task<JsonElement> CallAsync(IReadOnlyList<AIFunction> tools, string name, string json)
    {
        using var document = JsonDocument.Parse(json);
        var arguments = new AIFunctionArguments(document.RootElement.EnumerateObject().ToDictionary(p => p.Name, p => (object?)p.Value.Clone()));
        return Assert.IsType<JsonElement>(await tools.Single(tool => tool.Name == name).InvokeAsync(arguments, Stop));
    }
}
