namespace Coppice.Agents.Tests;

public sealed class SendMessageTests
{
    private const string ToReviewer = """{"to":{"relation":"child","name":"reviewer"},"message":"look at the diff"}""";
    private const string ToParent = """{"to":{"relation":"parent"},"message":"done"}""";
    private const string Parted = """{"message_id":"","status":"failed","error":"recipient_unavailable"}""";
    private const string Unknown = """{"message_id":"","status":"failed","error":"recipient_not_found"}""";

    [Theory]
    [InlineData(StoreKind.Memory)]
    [InlineData(StoreKind.Sqlite)]
    public async Task A_live_agent_of_the_thread_gets_it_by_name_or_by_id(StoreKind kind)
    {
        await using var bench = await Bench.StartAsync(kind);
        var agent = new RecordingAgent();
        var id = await bench.Manager.SpawnAgentAsync("t1", agent.RunAsync, new() { Name = "reviewer" }, Bench.Stop);
        using var call = ToolCallScope.Begin("run-1", "call-1", "planner");

        var receipt = await bench.CallAsync("send_message", ToReviewer);
        await bench.CallAsync("send_message", $$$"""{"to":{"relation":"child","name":"{{{id}}}"},"message":""}""");

        Assert.Equal(["message_id", "status"], receipt.EnumerateObject().Select(each => each.Name));
        Assert.Equal("accepted", receipt.Text("status"));
        Assert.Equal(7, Guid.Parse(receipt.Text("message_id")).Version);
        Assert.Equal(new AgentMail("planner", "look at the diff"), await agent.WaitForMessageAsync(cancellationToken: Bench.Stop));
        Assert.Equal(new AgentMail("planner", ""), await agent.WaitForMessageAsync(cancellationToken: Bench.Stop));
    }

    [Fact]
    public async Task The_sender_is_the_agent_of_the_call_else_of_the_options()
    {
        await using var bench = await Bench.StartAsync();
        var agent = new RecordingAgent();
        await bench.Manager.SpawnAgentAsync("t1", agent.RunAsync, new() { Name = "reviewer" }, Bench.Stop);
        var options = new BackgroundTaskToolOptions { AgentId = "writer" };

        await bench.CallAsync("send_message", ToReviewer, options: options);
        using (ToolCallScope.Begin("", "", "planner"))
        {
            await bench.CallAsync("send_message", ToReviewer, options: options);
        }

        Assert.Equal("writer", (await agent.WaitForMessageAsync(cancellationToken: Bench.Stop)).FromAgentId);
        Assert.Equal("planner", (await agent.WaitForMessageAsync(cancellationToken: Bench.Stop)).FromAgentId);
    }

    [Fact]
    public async Task Unknown_tasks_and_those_of_another_thread_are_not_found()
    {
        await using var bench = await Bench.StartAsync();
        var agent = new RecordingAgent();
        var strange = await bench.Manager.SpawnAgentAsync("t2", agent.RunAsync, new() { Name = "reviewer" }, Bench.Stop);

        (await bench.CallAsync("send_message", ToReviewer)).IsExactly(Unknown);
        (await bench.CallAsync("send_message", $$$"""{"to":{"relation":"child","name":"{{{strange}}}"},"message":"x"}""")).IsExactly(Unknown);
        Assert.Empty(agent.Mail);
    }

    [Fact]
    public async Task An_ended_agent_a_plain_task_and_a_closed_or_full_inbox_are_unavailable()
    {
        await using var bench = await Bench.StartAsync(configure: options => options.MaxUnreadMessages = 1);
        var ended = await bench.SpawnEndedAsync("1");
        await bench.SpawnLiveAsync(name: "plain");
        await bench.Manager.SpawnAgentAsync("t1", ClosedAsync, new() { Name = "closed" }, Bench.Stop);
        await bench.Manager.SpawnAgentAsync("t1", ParkedAsync, new() { Name = "full" }, Bench.Stop);
        await bench.CallAsync("send_message", To("full"));

        foreach (var name in (string[])[ended.TaskId, "plain", "full"])
        {
            (await bench.CallAsync("send_message", To(name))).IsExactly(Parted);
        }

        // The store hears of the closing in the background.
        while ((await bench.CallAsync("send_message", To("closed"))).Text("status") == "accepted")
        {
            await Task.Yield();
        }

        (await bench.CallAsync("send_message", To("closed"))).IsExactly(Parted);

        static string To(string name) => $$$"""{"to":{"relation":"child","name":"{{{name}}}"},"message":"x"}""";

        static async Task<TaskOutcome> ClosedAsync(AgentTaskContext agent)
        {
            agent.CloseInbox();
            return await ParkedAsync(agent);
        }

        static async Task<TaskOutcome> ParkedAsync(AgentTaskContext agent)
        {
            await agent.WhenCancelledAsync();
            return TaskOutcome.Cancelled;
        }
    }

    [Fact]
    public async Task A_name_of_many_bytes_is_a_name_though_it_could_be_no_id()
    {
        await using var bench = await Bench.StartAsync();
        var agent = new RecordingAgent();
        var name = new string('字', 128);
        await bench.Manager.SpawnAgentAsync("t1", agent.RunAsync, new() { Name = name }, Bench.Stop);

        var receipt = await bench.CallAsync("send_message", $$$"""{"to":{"relation":"child","name":"{{{name}}}"},"message":"x"}""");

        Assert.Equal("accepted", receipt.Text("status"));
    }

    [Fact]
    public async Task A_live_name_comes_before_an_ended_id()
    {
        await using var bench = await Bench.StartAsync();
        var agent = new RecordingAgent();
        await bench.Manager.RestoreAsync("t1", [new TaskSnapshot { TaskId = "reviewer", State = TaskState.Completed }], Bench.Stop);
        (await bench.CallAsync("send_message", ToReviewer)).IsExactly(Parted);
        await bench.Manager.SpawnAgentAsync("t1", agent.RunAsync, new() { Name = "reviewer" }, Bench.Stop);

        Assert.Equal("accepted", (await bench.CallAsync("send_message", ToReviewer)).Text("status"));
    }

    [Fact]
    public async Task The_parent_of_an_agent_is_the_thread_that_owns_it()
    {
        await using var bench = await Bench.StartAsync();
        var id = await bench.Manager.SpawnAgentAsync(
            "t1",
            async agent =>
            {
                using var call = ToolCallScope.Begin("run-1", "call-1", "worker");
                (await bench.CallAsync("send_message", ToParent, "somebody-else")).IsExactly(Parted);
                return TaskOutcome.Success(await bench.CallAsync("send_message", ToParent, agent.ThreadId));
            },
            cancellationToken: Bench.Stop);

        var ended = await bench.Manager.WaitAsync(id, Bench.Stop);

        var message = Assert.Single((await MailOfAsync(bench, "t1")).OfType<ThreadMessage>());
        ended.Result!.Value.IsExactly($$"""{"message_id":"{{message.MessageId}}","status":"accepted"}""");
        Assert.Equal((ended.AgentThreadId, "worker", "done", null), (message.FromThreadId, message.FromAgentId, message.Content, message.ToAgentId));
        Assert.Equal(7, Guid.Parse(message.MessageId).Version);
    }

    [Fact]
    public async Task Where_nobody_is_the_parent_it_is_unavailable()
    {
        await using var bench = await Bench.StartAsync();

        (await bench.CallAsync("send_message", ToParent)).IsExactly(Parted);
    }

    [Theory]
    [InlineData("""{"relation":"agent","thread_id":"t2","agent_id":"reviewer"}""", "reviewer")]
    [InlineData("""{"relation":"agent","thread_id":"t2","agent_id":""}""", null)]
    [InlineData("""{"relation":"agent","thread_id":"t2","agent_id":null}""", null)]
    [InlineData("""{"relation":"agent","thread_id":"t2"}""", null)]
    public async Task An_agent_on_another_thread_gets_it_when_it_starts_to_read(string to, string? agentId)
    {
        await using var bench = await Bench.StartAsync();

        var receipt = await bench.CallAsync("send_message", $$"""{"to":{{to}},"message":"please review"}""");
        bench.Test.Clock.Advance(TimeSpan.FromDays(7));

        var message = Assert.Single((await MailOfAsync(bench, "t2")).OfType<ThreadMessage>());
        receipt.IsExactly($$"""{"message_id":"{{message.MessageId}}","status":"accepted"}""");
        Assert.Equal(("t1", "", "please review", agentId), (message.FromThreadId, message.FromAgentId, message.Content, message.ToAgentId));
    }

    [Fact]
    public async Task A_full_mailbox_is_unavailable()
    {
        await using var bench = await Bench.StartAsync(configure: options => options.MaxUnreadMessages = 1);
        const string ToOther = """{"to":{"relation":"agent","thread_id":"t2"},"message":"x"}""";

        Assert.Equal("accepted", (await bench.CallAsync("send_message", ToOther)).Text("status"));
        (await bench.CallAsync("send_message", ToOther)).IsExactly(Parted);
    }

    [Fact]
    public async Task A_store_that_fails_is_a_failed_transport()
    {
        await using var bench = await Bench.StartAsync();
        bench.Front.Before = static (method, _) =>
        {
            if (method == nameof(ITaskStore.GetAsync))
            {
                throw new TaskStoreException("The disk is gone.", isTransient: false);
            }
        };

        (await bench.CallAsync("send_message", ToReviewer)).IsExactly("""{"message_id":"","status":"failed","error":"transport_failed: The disk is gone."}""");
    }

    [Fact]
    public async Task A_message_over_the_limit_is_a_wrong_argument()
    {
        await using var bench = await Bench.StartAsync(configure: options => options.MaxMessageBytes = 10);
        var agent = new RecordingAgent();
        await bench.Manager.SpawnAgentAsync("t1", agent.RunAsync, new() { Name = "reviewer" }, Bench.Stop);

        var answer = await bench.CallAsync("send_message", ToReviewer);

        answer.IsError("invalid_arguments", "The message has 16 bytes; MaxMessageBytes is 10.");
        Assert.DoesNotContain("Parameter", answer.Text("message"), StringComparison.Ordinal);
    }

    private static async Task<IEnumerable<MailEvent>> MailOfAsync(Bench bench, string thread)
    {
        await using var inbox = await bench.Manager.OpenInboxAsync(thread, Bench.Stop);
        return (await inbox.DrainAsync(Bench.Stop)).Select(item => item.Event);
    }
}
