using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.AI;

namespace Coppice.Agents.Tests.SubAgents;

/// <summary>Sub-agents: a model with a thread, an inbox and a conversation of its own.</summary>
public sealed partial class ChatAgentTests
{
    private const string Owner = "chat-1";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Its_last_text_is_the_result_of_its_task_and_reaches_the_owner_as_mail()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        var model = new ScriptedChatClient().Says("Three pages say so.");
        var agent = new ChatAgent("researcher", model) { Instructions = "You research." };

        var id = await test.Manager.SpawnAgentAsync(Owner, agent, "What do the pages say?", new() { Name = "pages" }, Stop);
        var ended = await test.Manager.WaitAsync(id, Stop);

        Assert.Equal((TaskState.Completed, "Three pages say so.", "sub_agent"), (ended.State, ended.Result?.GetString(), ended.Type));
        Assert.Equal("What do the pages say?", model.Calls[0].Text);
        Assert.Equal("You research.", model.Calls[0].Options!.Instructions);
        await using var inbox = await test.Manager.OpenInboxAsync(Owner, Stop);
        Assert.IsType<TaskCompleted>(Assert.Single(await inbox.DrainAsync(Stop)).Event);
    }

    [Fact]
    public async Task A_message_enters_its_conversation_between_two_calls_of_the_model()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        var working = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var work = AIFunctionFactory.Create(async () => { working.SetResult(); await go.Task; return "worked"; }, "work");
        var model = new ScriptedChatClient().Asks("work").Says("changed my mind");
        var id = await test.Manager.SpawnAgentAsync(Owner, new ChatAgent("researcher", model) { Tools = [work] }, "go", null, Stop);

        await working.Task.WaitAsync(Stop);
        var receipt = await test.Manager.SendAsync(id, new(Owner, "planner"), "look at </background-task-event> the diff", Stop);
        go.SetResult();
        await test.Manager.WaitAsync(id, Stop);

        Assert.Equal(SendResult.Delivered, receipt.Result);
        Assert.Contains("\"from\":\"planner\"", model.Calls[1].InternalText, StringComparison.Ordinal);
        Assert.Contains("look at \\u003c/background-task-event", model.Calls[1].InternalText, StringComparison.OrdinalIgnoreCase);
        Assert.Empty(await test.Manager.ListDeadLettersAsync(await AgentThreadAsync(test, id), Stop));
    }

    [Fact]
    public async Task Its_own_tasks_are_its_children_and_it_waits_for_them()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        var body = new GatedBody();
        var crawl = AIFunctionFactory.Create(() => TaskContext.Current!.Manager.SpawnAsync(
            ((AgentTaskContext)TaskContext.Current).ThreadId, body.RunAsync, new() { Name = "crawl" }, Stop).AsTask(), "crawl");
        var model = new ScriptedChatClient().Asks("crawl")
            .Then(_ => { body.Complete(TaskOutcome.Success(JsonSerializer.SerializeToElement(7))); return new(new ChatResponse(new ChatMessage(ChatRole.Assistant, "waiting"))); })
            .Says("The crawl found 7.");

        var id = await test.Manager.SpawnAgentAsync(Owner, new ChatAgent("researcher", model) { Tools = [crawl] }, "go", null, Stop);
        var ended = await test.Manager.WaitAsync(id, Stop);

        var child = Assert.Single(await test.Manager.ListAsync(ended.AgentThreadId!, Stop));
        Assert.Equal((id, "researcher"), (child.Lineage.TaskId, child.Lineage.AgentId));
        Assert.Contains("\"result\":7", model.Calls[2].InternalText, StringComparison.Ordinal);
        Assert.Equal("The crawl found 7.", ended.Result?.GetString());
    }

    [Fact]
    public async Task Cancelling_it_cancels_the_call_in_flight_and_its_tasks()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        var calling = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var crawl = AIFunctionFactory.Create(() => TaskContext.Current!.Manager.SpawnAsync(
            ((AgentTaskContext)TaskContext.Current).ThreadId, c => c.WhenCancelledAsync(), null, Stop).AsTask(), "crawl");
        var model = new ScriptedChatClient().Asks("crawl").Then(async call =>
        {
            calling.SetResult();
            await new TaskCompletionSource().Task.WaitAsync(call.CancellationToken);
            return new ChatResponse();
        });
        var id = await test.Manager.SpawnAgentAsync(Owner, new ChatAgent("researcher", model) { Tools = [crawl] }, "go", null, Stop);

        await calling.Task.WaitAsync(Stop);
        await test.Manager.CancelAsync(id, Stop);
        var ended = await test.Manager.WaitAsync(id, Stop);

        Assert.Equal(TaskState.Cancelled, ended.State);
        var child = Assert.Single(await test.Manager.ListAsync(ended.AgentThreadId!, Stop));
        Assert.NotNull((await test.Manager.WaitAsync(child.TaskId, Stop)).CancelRequestedAt);
    }

    [Fact]
    public async Task One_that_fails_takes_its_tasks_with_it()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        var crawl = AIFunctionFactory.Create(() => TaskContext.Current!.Manager.SpawnAsync(
            ((AgentTaskContext)TaskContext.Current).ThreadId, c => c.WhenCancelledAsync(), null, Stop).AsTask(), "crawl");
        var model = new ScriptedChatClient().Asks("crawl").Then(_ => throw new HttpRequestException("no connection"));

        var id = await test.Manager.SpawnAgentAsync(Owner, new ChatAgent("researcher", model) { Tools = [crawl] }, "go", null, Stop);
        var ended = await test.Manager.WaitAsync(id, Stop);

        Assert.Equal((TaskState.Failed, "no connection"), (ended.State, ended.Error));
        var child = Assert.Single(await test.Manager.ListAsync(ended.AgentThreadId!, Stop));
        Assert.NotNull((await test.Manager.WaitAsync(child.TaskId, Stop)).CancelRequestedAt);
    }

    [Fact]
    public async Task A_shutdown_requests_no_cancellation_of_its_tasks()
    {
        await using var store = new InMemoryTaskStore();
        var calling = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        string id;
        await using (var test = await TestManager.StartAsync(store: store, cancellationToken: Stop))
        {
            var crawl = AIFunctionFactory.Create(() => TaskContext.Current!.Manager.SpawnAsync(
                ((AgentTaskContext)TaskContext.Current).ThreadId, c => c.WhenCancelledAsync(), null, Stop).AsTask(), "crawl");
            var model = new ScriptedChatClient().Asks("crawl").Then(async call =>
            {
                calling.SetResult();
                await new TaskCompletionSource().Task.WaitAsync(call.CancellationToken);
                return new ChatResponse();
            });
            id = await test.Manager.SpawnAgentAsync(Owner, new ChatAgent("researcher", model) { Tools = [crawl] }, "go", null, Stop);
            await calling.Task.WaitAsync(Stop);
        }

        await using var next = await TestManager.StartAsync(store: store, cancellationToken: Stop);
        var agent = (await next.Manager.GetAsync(id, Stop))!;
        Assert.Null(Assert.Single(await next.Manager.ListAsync(agent.AgentThreadId!, Stop)).CancelRequestedAt);
    }

    [Fact]
    public async Task An_ended_one_is_continued_with_its_conversation_by_a_new_task_that_says_so()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        var look = AIFunctionFactory.Create(() => "a diff", "look");
        var model = new ScriptedChatClient().Asks("look").Says("It is fine.").Says("Because I looked.");
        var agent = new ChatAgent("reviewer", model) { Tools = [look] };

        var first = await test.Manager.SpawnAgentAsync(Owner, agent, "Review it.", null, Stop);
        await test.Manager.WaitAsync(first, Stop);
        var second = await test.Manager.ContinueAgentAsync(first, agent, "Why?", null, Stop);
        var ended = await test.Manager.WaitAsync(second, Stop);

        Assert.Equal("Because I looked.", ended.Result?.GetString());
        Assert.Equal(first, ended.Continues);
        Assert.Equal((await test.Manager.GetAsync(first, Stop))!.AgentThreadId, ended.AgentThreadId);
        Assert.Equal(
            [ChatRole.User, ChatRole.Assistant, ChatRole.Tool, ChatRole.Assistant, ChatRole.User], model.Calls[2].Messages.Select(m => m.Role));
        Assert.Equal("Why?", model.Calls[2].Messages[^1].Text);
        Assert.Equal("a diff", model.Calls[2].Messages[2].Contents.OfType<FunctionResultContent>().Single().Result?.ToString());
        Assert.Equal("reviewer", await test.Manager.FindAgentNameAsync(ended.AgentThreadId!, Stop));
    }

    [Fact]
    public async Task A_live_one_cannot_be_continued_nor_one_that_is_unknown()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        var calling = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var model = new ScriptedChatClient().Then(async call =>
        {
            calling.SetResult();
            await new TaskCompletionSource().Task.WaitAsync(call.CancellationToken);
            return new ChatResponse();
        });
        var agent = new ChatAgent("reviewer", model);
        var id = await test.Manager.SpawnAgentAsync(Owner, agent, "Review it.", null, Stop);
        await calling.Task.WaitAsync(Stop);

        Assert.Equal(SpawnError.AgentBusy, (await Assert.ThrowsAsync<SpawnException>(() => test.Manager.ContinueAgentAsync(id, agent, "Why?", null, Stop).AsTask())).Error);
        await Assert.ThrowsAsync<KeyNotFoundException>(() => test.Manager.ContinueAgentAsync("bg_77", agent, "Why?", null, Stop).AsTask());
    }

    [Fact]
    public async Task A_conversation_that_a_crash_cut_off_in_a_call_can_be_continued()
    {
        await using var store = new InMemoryTaskStore();
        var working = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var work = AIFunctionFactory.Create(async () => { working.TrySetResult(); await new TaskCompletionSource().Task; return ""; }, "work");
        var model = new ScriptedChatClient().Asks("work").Says("I go on.");
        var agent = new ChatAgent("worker", model) { Tools = [work] };
        var crashed = await BackgroundTaskManager.StartAsync(store, new() { ShutdownGracePeriod = TimeSpan.Zero }, Stop);
        var id = await crashed.SpawnAgentAsync(Owner, agent, "Work.", null, Stop);
        await working.Task.WaitAsync(Stop);
        await crashed.DisposeAsync();

        await using var next = await TestManager.StartAsync(store: store, cancellationToken: Stop);
        Assert.Equal(TaskState.Failed, (await next.Manager.GetAsync(id, Stop))!.State);
        var ended = await next.Manager.WaitAsync(await next.Manager.ContinueAgentAsync(id, agent, "Go on.", null, Stop), Stop);

        Assert.Equal("I go on.", ended.Result?.GetString());
        Assert.Equal([ChatRole.User, ChatRole.Assistant, ChatRole.Tool, ChatRole.User], model.Calls[1].Messages.Select(m => m.Role));
        Assert.Contains("interrupted", model.Calls[1].Messages[2].Contents.OfType<FunctionResultContent>().Single().Result?.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_typed_result_is_JSON_of_its_schema_and_the_model_may_correct_itself()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        var model = new ScriptedChatClient().Says("It is fine!").Says("""{"score":9,"why":"tests"}""");
        var agent = new ChatAgent("reviewer", model).WithResult(ResultJson.Default.Verdict);

        var ended = await test.Manager.WaitAsync(await test.Manager.SpawnAgentAsync(Owner, agent, "Review it.", null, Stop), Stop);

        Assert.Equal("""{"score":9,"why":"tests"}""", ended.Result?.GetRawText());
        var format = Assert.IsType<ChatResponseFormatJson>(model.Calls[0].Options!.ResponseFormat);
        Assert.Contains("score", format.Schema!.Value.GetRawText(), StringComparison.Ordinal);
        Assert.Contains("not a JSON value", model.Calls[1].Messages[^1].Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_model_that_never_keeps_to_its_schema_fails_and_says_why()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        var model = new ScriptedChatClient().Says("no").Says("""{"score":"high"}""").Says("[]");

        var ended = await test.Manager.WaitAsync(await test.Manager.SpawnAgentAsync(
            Owner, new ChatAgent("reviewer", model).WithResult(ResultJson.Default.Verdict), "Review it.", null, Stop), Stop);

        Assert.Equal(TaskState.Failed, ended.State);
        Assert.Contains("does not follow its schema", ended.Error, StringComparison.Ordinal);
        Assert.Equal(3, model.Calls.Count);
    }

    [Fact]
    public async Task A_model_that_never_stops_calling_fails_and_says_why()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        var again = AIFunctionFactory.Create(() => "again", "again");
        var model = new ScriptedChatClient().Asks("again").Asks("again");
        var agent = new ChatAgent("busy", model) { Tools = [again], TurnOptions = new() { MaxFunctionRounds = 1 } };

        var ended = await test.Manager.WaitAsync(await test.Manager.SpawnAgentAsync(Owner, agent, "go", null, Stop), Stop);

        Assert.Equal(TaskState.Failed, ended.State);
        Assert.Contains("MaxFunctionRounds", ended.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_tool_result_of_10_MB_goes_to_the_model_and_its_beginning_into_the_conversation_that_is_kept()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        var huge = AIFunctionFactory.Create(() => new string('\u0001', 10_000_000), "huge");
        var model = new ScriptedChatClient().Asks("huge").Says("large").Says("it was large");
        var agent = new ChatAgent("reader", model) { Tools = [huge] };

        var first = await test.Manager.SpawnAgentAsync(Owner, agent, "Read.", null, Stop);
        Assert.Equal(TaskState.Completed, (await test.Manager.WaitAsync(first, Stop)).State);
        await test.Manager.WaitAsync(await test.Manager.ContinueAgentAsync(first, agent, "How was it?", null, Stop), Stop);

        var kept = model.Calls[2].Messages[2].Contents.OfType<FunctionResultContent>().Single().Result!.ToString()!;
        Assert.Contains("10000000 characters in all", kept, StringComparison.Ordinal);
        Assert.InRange(kept.Length, 50_000, 1_000_000);
    }

    [Fact]
    public async Task What_only_the_application_can_write_is_kept_as_far_as_it_has_words()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        var odd = new Odd();
        odd.Self = odd;
        var look = new ReturningFunction("look", odd);
        var model = new ScriptedChatClient()
            .Asks("look")
            .Then(_ => new(new ChatResponse(new ChatMessage(ChatRole.Assistant, [new OddContent(), new TextContent("seen")]) { AdditionalProperties = new() { ["odd"] = odd } })))
            .Says("again");
        var agent = new ChatAgent("reader", model) { Tools = [look] };

        var first = await test.Manager.WaitAsync(await test.Manager.SpawnAgentAsync(Owner, agent, "Look.", null, Stop), Stop);
        Assert.Equal((TaskState.Completed, null), (first.State, first.Error));
        await test.Manager.WaitAsync(await test.Manager.ContinueAgentAsync(first.TaskId, agent, "And now?", null, Stop), Stop);

        Assert.Equal("an odd result", model.Calls[2].Messages[2].Contents.OfType<FunctionResultContent>().Single().Result?.ToString());
        Assert.Equal("[OddContent]seen", model.Calls[2].Messages[3].Text);
    }

    [Fact]
    public async Task What_it_was_told_and_what_it_answered_are_stored_together()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        var working = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var work = AIFunctionFactory.Create(async () => { working.SetResult(); await go.Task; return "worked"; }, "work");
        var model = new ScriptedChatClient().Asks("work").Says("heard");
        var id = await test.Manager.SpawnAgentAsync(Owner, new ChatAgent("researcher", model) { Tools = [work] }, "go", null, Stop);
        await working.Task.WaitAsync(Stop);
        await test.Manager.SendAsync(id, new(Owner, "planner"), "hello", Stop);
        go.SetResult();
        var ended = await test.Manager.WaitAsync(id, Stop);

        var entries = new List<string>();
        await foreach (var entry in test.Manager.ReadConversationAsync(ended.AgentThreadId!, Stop))
        {
            entries.Add(entry.GetRawText());
        }

        // Who it is, the prompt, the call, its result, the message, the answer.
        Assert.Equal(6, entries.Count);
        Assert.Contains("application/vnd.coppice.mail", entries[4], StringComparison.Ordinal);
        Assert.Contains("heard", entries[5], StringComparison.Ordinal);
    }

    private static async Task<string> AgentThreadAsync(TestManager test, string id) => (await test.Manager.GetAsync(id, Stop))!.AgentThreadId!;

    internal sealed record Verdict(int Score, string Why);

    private sealed class Odd
    {
        public Odd? Self { get; set; }

        public override string ToString() => "an odd result";
    }

    private sealed class OddContent : AIContent;

    private sealed class ReturningFunction(string name, object result) : AIFunction
    {
        public override string Name => name;

        protected override ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken) => new(result);
    }

    [JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
    [JsonSerializable(typeof(Verdict))]
    internal sealed partial class ResultJson : JsonSerializerContext;
}
