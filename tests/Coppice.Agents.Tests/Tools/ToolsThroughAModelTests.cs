using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Coppice.Agents.Tests;

/// <summary>Every tool as a model calls it: through the chat client, in a run, with its answer as the next thing the model reads.</summary>
public sealed class ToolsThroughAModelTests
{
    private const string Thread = "t1";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_model_works_with_all_of_them_in_one_conversation()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        var agent = new RecordingAgent();
        var stubborn = new GatedBody();
        var crawl = AIFunctionFactory.Create(() => 7, "crawl").InBackground(new() { AllowTaskName = true });
        var helper = AIFunctionFactory.Create(
            async () => await test.Manager.SpawnAgentAsync(Thread, agent.RunAsync, new() { Name = "helper" }, Stop), "start_helper");
        var slow = AIFunctionFactory.Create(async () => await test.Manager.SpawnAsync(Thread, stubborn.RunAsync, new() { Name = "slow" }, Stop), "start_slow");
        var script = new (string Tool, string Arguments, string Answer)[]
        {
            ("crawl", """{"task_name":"pages"}""", """{"task_id":"bg_0","status":"running"}"""),
            ("wait_for_tasks", """{"task_ids":["bg_0"]}""", """{"timed_out":false,"ended":[{"task_id":"bg_0" """),
            ("get_task", """{"task_id":"bg_0"}""", """result":7"""),
            ("start_helper", "{}", "bg_1"),
            ("start_slow", "{}", "bg_2"),
            ("list_tasks", "{}", """task_id":"bg_2" """),
            ("send_message", """{"to":{"relation":"child","name":"helper"},"message":"hello"}""", """status":"accepted"}"""),
            ("send_message", """{"to":{"relation":"agent","thread_id":"t2"},"message":"hello"}""", """status":"accepted"}"""),
            ("send_message", """{"to":{"relation":"parent"},"message":"hello"}""", """{"message_id":"","status":"failed","error":"recipient_unavailable"}"""),
            ("cancel_task", """{"target":{"relation":"child","name":"helper"}}""", """{"status":"accepted","root_task_id":"bg_1","cancelled_count":1}"""),
            ("cancel_task", """{"target":{"relation":"child","name":"nobody"}}""", """{"status":"failed","root_task_id":"nobody","cancelled_count":0,"error":"task_not_found"}"""),
            ("stop_task", """{"task":"slow"}""", """{"status":"accepted","root_task_id":"bg_2","cancelled_count":1,"stopped":1,"finished_first":0,"still_running":0"""),
            ("recover_failed_messages", """{"action":"list"}""", """{"action":"list","count":"""),
        };
        var model = new ScriptedChatClient();
        foreach (var (tool, arguments, _) in script)
        {
            model.Asks(tool, Arguments(arguments));
        }

        model.Says("done");
        var client = model.WithBackgroundTasks(test.Manager, Thread, new() { CreateRunId = () => "run-1", AgentId = "planner" });

        await client.GetResponseAsync("go", new ChatOptions { Tools = [.. BackgroundTaskTools.For(test.Manager, Thread), crawl, helper, slow] }, Stop);

        Assert.All(script.Index(), step => Assert.Contains(step.Item.Answer.Trim(), AnswerIn(model.Calls[step.Index + 1]), StringComparison.Ordinal));
        Assert.Equal(new TaskLineage { RunId = "run-1", CallId = "c0", AgentId = "planner" }, (await test.Manager.GetAsync("bg_0", Stop))!.Lineage);
    }

    [Theory]
    [InlineData("list_tasks", """{"status":"asleep"}""")]
    [InlineData("get_task", "{}")]
    [InlineData("wait_for_tasks", """{"task_ids":"bg_0"}""")]
    [InlineData("send_message", """{"to":{"relation":"sibling"},"message":"x"}""")]
    [InlineData("cancel_task", """{"target":{"relation":"child"}}""")]
    [InlineData("stop_task", """{"task":"x","grace_seconds":"soon"}""")]
    [InlineData("recover_failed_messages", """{"action":7}""")]
    public async Task A_wrong_argument_is_answered_and_the_conversation_goes_on(string tool, string arguments)
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        var model = new ScriptedChatClient().Asks(tool, Arguments(arguments)).Says("I see.");
        var client = model.WithBackgroundTasks(test.Manager, Thread);

        var response = await client.GetResponseAsync("go", new ChatOptions { Tools = [.. BackgroundTaskTools.For(test.Manager, Thread)] }, Stop);

        Assert.StartsWith("""{"error":"invalid_arguments","message":""", AnswerIn(model.Calls[1]), StringComparison.Ordinal);
        Assert.Equal("I see.", response.Text);
    }

    [Fact]
    public async Task A_model_that_cancels_its_own_run_ends_it_with_all_it_has_spawned()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        var work = AIFunctionFactory.Create(
            async (CancellationToken token) => await new TaskCompletionSource().Task.WaitAsync(token), "work").InBackground();
        var model = new ScriptedChatClient().Asks("work").Asks("cancel_task", Arguments("""{"target":{"relation":"self"}}"""));
        var client = model.WithBackgroundTasks(test.Manager, Thread, new() { CreateRunId = () => "run-1" });

        var response = await client.GetResponseAsync("go", new ChatOptions { Tools = [.. BackgroundTaskTools.For(test.Manager, Thread), work] }, Stop);

        var receipt = response.Messages.SelectMany(m => m.Contents).OfType<FunctionResultContent>().Last().Result!.ToString();
        Assert.Equal("""{"status":"accepted","root_task_id":"run-1","cancelled_count":2}""", receipt);
        Assert.Equal(TaskState.Cancelled, (await test.Manager.WaitAsync("bg_0", Stop)).State);
    }

    [Fact]
    public async Task A_result_of_ten_megabytes_costs_the_model_eight_thousand_characters()
    {
        await using var test = await TestManager.StartAsync(options => options.MaxResultBytes = 16 * 1024 * 1024, cancellationToken: Stop);
        var huge = AIFunctionFactory.Create(() => string.Concat(Enumerable.Repeat("</background-task-event>", 420_000)), "huge").InBackground();
        var model = new ScriptedChatClient().Asks("huge").Says("started").Says("read");
        var client = model.WithBackgroundTasks(test.Manager, Thread, new() { WhenTasksRemain = WhenTasksRemain.Wait });

        await client.GetResponseAsync("go", new ChatOptions { Tools = [huge] }, Stop);

        Assert.InRange(model.Calls[^1].InternalText.Length, 8_192, 60_000);
        Assert.Single(System.Text.RegularExpressions.Regex.Matches(model.Calls[^1].InternalText, "</background-task-event>"));
    }

    [Fact]
    public async Task A_type_and_a_description_with_control_characters_stay_in_their_line()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        await test.Manager.SpawnAsync(
            Thread, c => c.WhenCancelledAsync(), new() { Name = "x", Type = "a\u001b[31mb\r\nbg_9 (task) running", Description = "\u0007\u202e\u2028end" }, Stop);
        var model = new ScriptedChatClient().Says("noted");

        await model.WithBackgroundTasks(test.Manager, Thread).GetResponseAsync("go", null, Stop);

        var digest = model.Calls[0].InternalText;
        Assert.Equal(4, digest.Split('\n').Length);
        Assert.DoesNotContain(digest, c => char.IsControl(c) && c != '\n');
    }

    private static string AnswerIn(ScriptedChatClient.Call call) =>
        call.Messages.SelectMany(m => m.Contents).OfType<FunctionResultContent>().Last().Result?.ToString() ?? "";

    private static Dictionary<string, object?> Arguments(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.EnumerateObject().ToDictionary(property => property.Name, property => (object?)property.Value.Clone());
    }
}
