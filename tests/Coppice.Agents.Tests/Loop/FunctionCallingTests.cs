using System.Collections.Concurrent;
using Microsoft.Extensions.AI;

namespace Coppice.Agents.Tests.Loop;

/// <summary>What becomes of the functions that a model asks for; streaming and not.</summary>
public sealed class FunctionCallingTests
{
    private const string Thread = "t1";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static TheoryData<bool> Ways => [false, true];

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Functions_are_called_and_their_results_go_back_to_the_model(bool streamed)
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        var add = AIFunctionFactory.Create((int a, int b) => a + b, "add");
        var model = new ScriptedChatClient().Asks("add", new() { ["a"] = 1, ["b"] = 2 }).Says("It is 3.");

        var response = await AskAsync(Client(model, test), streamed, add);

        Assert.Equal("3", ResultsIn(model.Calls[1])["c0"]);
        Assert.Equal("It is 3.", response.Text);
        Assert.Equal([ChatRole.Assistant, ChatRole.Tool, ChatRole.Assistant], response.Messages.Select(m => m.Role));
        Assert.True(response.Messages[0].Contents.OfType<FunctionCallContent>().Single().InformationalOnly);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Mail_that_came_meanwhile_is_told_between_the_calls_of_a_turn(bool streamed)
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        var work = AIFunctionFactory.Create(
            async () =>
            {
                await test.Manager.WaitAsync(await test.Manager.SpawnAsync(Thread, _ => Task.CompletedTask, null, Stop), Stop);
                return "spawned";
            },
            "work");
        var model = new ScriptedChatClient().Asks("work").Says("done");

        var response = await AskAsync(Client(model, test), streamed, work);

        Assert.Contains("task_id=\"bg_0\"", model.Calls[1].InternalText, StringComparison.Ordinal);
        Assert.Equal([ChatRole.Assistant, ChatRole.Tool, ChatRole.User, ChatRole.Assistant], response.Messages.Select(m => m.Role));
    }

    [Fact]
    public async Task Calls_of_one_answer_run_side_by_side_each_in_a_scope_of_its_own()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        var both = new Barrier2();
        var seen = new ConcurrentDictionary<string, ToolCall>();
        var meet = AIFunctionFactory.Create(
            async (string who) =>
            {
                await both.MeetAsync(Stop);
                seen[who] = ToolCallScope.Current!;
                return await test.Manager.SpawnAsync(Thread, _ => Task.CompletedTask, new() { Name = who }, Stop);
            },
            "meet");
        var model = new ScriptedChatClient()
            .Then(_ => new(ScriptedChatClient.Asking(("call-a", "meet", new() { ["who"] = "a" }), ("call-b", "meet", new() { ["who"] = "b" })))).Says("met");

        await AskAsync(Client(model, test, new() { AgentId = "planner", CreateRunId = () => "run-7" }), false, meet);

        Assert.Equal("call-a", seen["a"].CallId);
        Assert.Equal("call-b", seen["b"].CallId);
        var tasks = await test.Manager.ListAsync(Thread, Stop);
        Assert.Equal(
            [new TaskLineage { RunId = "run-7", CallId = "call-a", AgentId = "planner" }, new TaskLineage { RunId = "run-7", CallId = "call-b", AgentId = "planner" }],
            tasks.OrderBy(t => t.Name).Select(t => t.Lineage));
        Assert.Null(ToolCallScope.Current);
    }

    [Fact]
    public async Task What_cannot_be_called_is_answered_so_that_the_model_can_help_itself()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        var fails = AIFunctionFactory.Create(string () => throw new InvalidOperationException("secret"), "fails");
        var model = new ScriptedChatClient()
            .Then(_ => new(ScriptedChatClient.Asking(("c0", "nothing", []), ("c1", "fails", [])))).Says("sorry")
            .Then(_ => new(ScriptedChatClient.Asking(("c0", "fails", [])))).Says("sorry");

        await AskAsync(Client(model, test), false, fails);
        await AskAsync(Client(model, test, new() { IncludeErrorDetails = true }), false, fails);

        Assert.Contains("no function named \"nothing\"", ResultsIn(model.Calls[1])["c0"], StringComparison.Ordinal);
        Assert.Equal("Error: the function failed.", ResultsIn(model.Calls[1])["c1"]);
        Assert.Equal("Error: the function failed: secret", ResultsIn(model.Calls[3])["c0"]);
    }

    [Fact]
    public async Task A_turn_that_never_ends_is_asked_once_more_without_tools()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        var again = AIFunctionFactory.Create(() => "again", "again");
        var model = new ScriptedChatClient().Asks("again").Asks("again").Says("enough");

        var response = await AskAsync(Client(model, test, new() { MaxFunctionRounds = 2 }), false, again);

        Assert.Equal("enough", response.Text);
        Assert.NotNull(model.Calls[1].Options!.Tools);
        Assert.Null(model.Calls[2].Options!.Tools);
    }

    [Fact]
    public async Task A_model_that_asks_even_without_tools_gets_no_more()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        var calls = 0;
        var again = AIFunctionFactory.Create(() => ++calls, "again");
        var model = new ScriptedChatClient().Asks("again").Asks("again").Asks("again");

        var response = await AskAsync(Client(model, test, new() { MaxFunctionRounds = 2 }), false, again);

        Assert.Equal((2, 3), (calls, model.Calls.Count));
        Assert.False(response.Messages[^1].Contents.OfType<FunctionCallContent>().Single().InformationalOnly);
    }

    [Fact]
    public async Task A_function_that_only_the_application_can_call_is_left_to_it()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        var declared = AIFunctionFactory.Create(() => "", "elsewhere").AsDeclarationOnly();
        var model = new ScriptedChatClient().Asks("elsewhere");

        var response = await Client(model, test).GetResponseAsync("hello", new ChatOptions { Tools = [declared] }, Stop);

        Assert.False(Assert.Single(response.Messages.SelectMany(m => m.Contents).OfType<FunctionCallContent>()).InformationalOnly);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_call_that_needs_approval_is_asked_for_and_made_once_it_is_given(bool streamed)
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        var made = 0;
        var pay = new ApprovalRequiredAIFunction(AIFunctionFactory.Create(() => ++made, "pay"));
        var look = AIFunctionFactory.Create(() => "looked", "look");
        var model = new ScriptedChatClient()
            .Then(_ => new(ScriptedChatClient.Asking(("c0", "pay", []), ("c1", "look", []))))
            .Says("paid");
        List<ChatMessage> history = [new(ChatRole.User, "pay")];
        var client = Client(model, test);

        history.AddMessages(await AskAsync(client, history, streamed, pay, look));
        var request = Assert.Single(history.SelectMany(m => m.Contents).OfType<ToolApprovalRequestContent>());
        Assert.Equal((0, 1), (made, model.Calls.Count));
        Assert.DoesNotContain(history.SelectMany(m => m.Contents).OfType<FunctionCallContent>(), c => c.Name == "pay");
        history.Add(new(ChatRole.User, [request.CreateResponse(approved: true)]));
        history.AddMessages(await AskAsync(client, history, streamed, pay, look));

        Assert.Equal(1, made);
        Assert.Equal(["looked", "1"], ResultsIn(model.Calls[1]).OrderByDescending(r => r.Key).Select(r => r.Value));
        Assert.DoesNotContain(model.Calls[1].Messages.SelectMany(m => m.Contents), c => c is ToolApprovalRequestContent or ToolApprovalResponseContent);

        // What was approved once is not made again by the next turn.
        model.Says("you are welcome");
        history.Add(new(ChatRole.User, "thanks"));
        await AskAsync(client, history, streamed, pay, look);
        Assert.Equal(1, made);
    }

    [Fact]
    public async Task A_call_that_is_refused_is_not_made_and_the_model_is_told_why()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        var made = 0;
        var pay = new ApprovalRequiredAIFunction(AIFunctionFactory.Create(() => ++made, "pay"));
        var model = new ScriptedChatClient().Asks("pay").Says("as you like");
        List<ChatMessage> history = [new(ChatRole.User, "pay")];
        var client = Client(model, test);

        history.AddMessages(await AskAsync(client, history, false, pay));
        var request = Assert.Single(history.SelectMany(m => m.Contents).OfType<ToolApprovalRequestContent>());
        history.Add(new(ChatRole.User, [request.CreateResponse(approved: false, "too dear")]));
        await AskAsync(client, history, false, pay);

        Assert.Equal(0, made);
        Assert.Equal("The call was not approved: too dear", ResultsIn(model.Calls[1])["c0"]);
    }

    [Fact]
    public async Task A_service_that_keeps_the_conversation_is_sent_only_what_is_new()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        var add = AIFunctionFactory.Create(() => "3", "add");
        var model = new ScriptedChatClient()
            .Then(_ => { var asks = ScriptedChatClient.Asking(("c0", "add", [])); asks.ConversationId = "conv-1"; return new(asks); })
            .Then(_ => new(new ChatResponse(new ChatMessage(ChatRole.Assistant, "It is 3.")) { ConversationId = "conv-1" }));

        var response = await AskAsync(Client(model, test), false, add);

        Assert.Equal([ChatRole.Tool], model.Calls[1].Messages.Select(m => m.Role));
        Assert.Equal("conv-1", model.Calls[1].Options!.ConversationId);
        Assert.Equal(3, response.Messages.Count);
        Assert.Equal("conv-1", response.ConversationId);
    }

    [Fact]
    public async Task Use_of_tokens_is_added_up()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        var add = AIFunctionFactory.Create(() => "3", "add");
        var model = new ScriptedChatClient()
            .Then(_ => { var asks = ScriptedChatClient.Asking(("c0", "add", [])); asks.Usage = new() { InputTokenCount = 10 }; return new(asks); })
            .Then(_ => new(new ChatResponse(new ChatMessage(ChatRole.Assistant, "3")) { Usage = new() { InputTokenCount = 20 } }));

        Assert.Equal(30, (await AskAsync(Client(model, test), false, add)).Usage!.InputTokenCount);
    }

    [Fact]
    public async Task A_tool_that_cancels_its_own_run_ends_the_turn()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        var stop = AIFunctionFactory.Create(() => ToolCallScope.Current!.Run!.Cancel(), "stop");
        var model = new ScriptedChatClient().Asks("stop");

        var response = await AskAsync(Client(model, test, new() { WhenTasksRemain = WhenTasksRemain.Wait }), false, stop);

        Assert.Single(model.Calls);
        Assert.Equal([ChatRole.Assistant, ChatRole.Tool], response.Messages.Select(m => m.Role));
    }

    [Fact]
    public async Task The_caller_can_cancel_while_functions_run()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var wait = AIFunctionFactory.Create(
            async (CancellationToken token) =>
            {
                await cancel.CancelAsync();
                await new TaskCompletionSource().Task.WaitAsync(token);
            },
            "wait");
        var model = new ScriptedChatClient().Asks("wait");

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => Client(model, test).GetResponseAsync("hello", new ChatOptions { Tools = [wait] }, cancel.Token));
    }

    [Fact]
    public async Task With_a_client_below_that_calls_functions_ours_steps_aside_and_gives_it_the_run()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        ToolCall? seen = null;
        var calls = 0;
        var look = AIFunctionFactory.Create(() => { seen = ToolCallScope.Current; return ++calls; }, "look");
        var model = new ScriptedChatClient().Asks("look").Says("looked");
        var client = new FunctionInvokingChatClient(model).WithBackgroundTasks(test.Manager, Thread, new() { CreateRunId = () => "run-7" });

        var response = await AskAsync(client, false, look);

        Assert.Equal(1, calls);
        Assert.Equal("run-7", seen!.RunId);
        Assert.Equal("looked", response.Text);
    }

    [Fact]
    public async Task A_client_above_that_calls_functions_finds_nothing_left_to_call()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        var calls = 0;
        var look = AIFunctionFactory.Create(() => ++calls, "look");
        var model = new ScriptedChatClient().Asks("look").Says("looked");
        using var client = new FunctionInvokingChatClient(Client(model, test));

        var response = await client.GetResponseAsync("hello", new ChatOptions { Tools = [look] }, Stop);

        Assert.Equal(1, calls);
        Assert.Equal("looked", response.Text);
    }

    private static BackgroundTaskChatClient Client(ScriptedChatClient model, TestManager test, BackgroundTaskChatClientOptions? options = null) =>
        model.WithBackgroundTasks(test.Manager, Thread, options);

    private static Task<ChatResponse> AskAsync(BackgroundTaskChatClient client, bool streamed, params AITool[] tools) =>
        AskAsync(client, [new(ChatRole.User, "hello")], streamed, tools);

    private static async Task<ChatResponse> AskAsync(
        BackgroundTaskChatClient client, IEnumerable<ChatMessage> messages, bool streamed, params AITool[] tools)
    {
        var options = new ChatOptions { Tools = tools };
        return streamed
            ? await client.GetStreamingResponseAsync(messages, options, Stop).ToChatResponseAsync(Stop)
            : await client.GetResponseAsync(messages, options, Stop);
    }

    private static Dictionary<string, string> ResultsIn(ScriptedChatClient.Call call) =>
        call.Messages.SelectMany(m => m.Contents).OfType<FunctionResultContent>().ToDictionary(r => r.CallId, r => r.Result?.ToString() ?? "");

    /// <summary>Lets two through only when both are there.</summary>
    private sealed class Barrier2
    {
        private readonly TaskCompletionSource _both = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _count;

        internal Task MeetAsync(CancellationToken cancellationToken)
        {
            if (Interlocked.Increment(ref _count) == 2)
            {
                _both.SetResult();
            }

            return _both.Task.WaitAsync(cancellationToken);
        }
    }
}
