namespace Coppice.Testing.Tests.InProcess;

public sealed class BodyTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_gated_body_tells_each_task_that_starts_on_it_and_ends_all_at_once()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        var body = new GatedBody();
        var ids = new[] { await test.Manager.SpawnAsync("t", body.RunAsync, cancellationToken: Stop), await test.Manager.SpawnAsync("t", body.RunAsync, cancellationToken: Stop) };

        var started = new[] { await body.WaitUntilStartedAsync(cancellationToken: Stop), await body.WaitUntilStartedAsync(cancellationToken: Stop) };
        body.Complete();

        Assert.Equal(ids, started.Select(task => task.TaskId).Order(StringComparer.Ordinal));
        foreach (var id in ids)
        {
            Assert.Null((await test.Manager.AssertCompletedAsync(id, cancellationToken: Stop)).Result);
        }

        Assert.Throws<InvalidOperationException>(() => body.Fail("too late"));
    }

    [Fact]
    public async Task A_gated_body_that_ignores_its_token_ends_as_the_test_says()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        var body = new GatedBody { IgnoresCancellation = true };
        var id = await test.Manager.SpawnAsync("t", body.RunAsync, cancellationToken: Stop);
        await test.Manager.CancelAsync(id, Stop);
        await (await body.WaitUntilStartedAsync(cancellationToken: Stop)).WhenCancelledAsync();

        Assert.Equal(TaskState.Running, (await test.Manager.GetAsync(id, Stop))!.State);
        body.Complete();

        Assert.Equal("user", (await test.Manager.AssertCompletedAsync(id, cancellationToken: Stop)).CancelledBy);
    }

    [Fact]
    public async Task Nothing_that_starts_fails_the_wait_for_it()
    {
        var failure = await Assert.ThrowsAsync<TaskAssertionException>(
            () => new GatedBody().WaitUntilStartedAsync(TimeSpan.FromMilliseconds(20), Stop));
        Assert.Equal("No task started on the gated body within 0.02 s.", failure.Message);
        failure = await Assert.ThrowsAsync<TaskAssertionException>(
            () => new RecordingAgent().WaitForMessageAsync(TimeSpan.FromMilliseconds(20), Stop));
        Assert.Equal("No message came to the recording agent within 0.02 s.", failure.Message);
    }

    [Fact]
    public async Task A_recording_agent_keeps_its_messages_and_the_ends_of_its_tasks()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        var agent = new RecordingAgent();
        var id = await test.Manager.SpawnAgentAsync("chat-1", agent.RunAsync, cancellationToken: Stop);
        var context = await agent.WaitUntilStartedAsync(cancellationToken: Stop);

        await test.Manager.SendAsync(id, new MessageSender("chat-1", "planner"), "one", Stop);
        var child = await test.Manager.SpawnAsync(context.ThreadId, _ => Task.CompletedTask, cancellationToken: Stop);
        await test.Manager.WaitAsync(child, Stop);
        await test.Manager.SendAsync(id, new MessageSender("chat-1", "planner"), "", Stop);

        Assert.Equal(new AgentMail("planner", "one"), await agent.WaitForMessageAsync(cancellationToken: Stop));
        Assert.Equal(new AgentMail("planner", ""), await agent.WaitForMessageAsync(cancellationToken: Stop));
        Assert.Equal(3, agent.Mail.Count);
        Assert.Equal(new TaskCompleted(child, null), agent.Mail[1]);
        agent.Complete();
        await test.Manager.AssertCompletedAsync(id, cancellationToken: Stop);
        Assert.Empty(await test.Manager.ListDeadLettersAsync(context.ThreadId, Stop));
    }

    [Fact]
    public async Task A_recording_agent_ends_with_its_token_and_fails_when_its_inbox_is_taken()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        var agent = new RecordingAgent();
        var cancelled = await test.Manager.SpawnAgentAsync("chat-1", agent.RunAsync, cancellationToken: Stop);
        await test.Manager.CancelAsync(cancelled, Stop);
        await test.Manager.AssertCancelledAsync(cancelled, cancellationToken: Stop);

        agent = new RecordingAgent();
        var robbed = await test.Manager.SpawnAgentAsync("chat-1", agent.RunAsync, cancellationToken: Stop);
        var context = await agent.WaitUntilStartedAsync(cancellationToken: Stop);
        await using var inbox = await test.Manager.OpenInboxAsync(context.ThreadId, Stop);
        await test.Manager.AssertFailedAsync(robbed, cancellationToken: Stop);
    }
}
