using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Coppice.Agents.Tests.Runs;

/// <summary>The edges of a loop as plain methods.</summary>
public sealed class AgentRunTests
{
    private const string Thread = "t1";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_loop_of_another_kind_is_told_what_the_chat_client_tells()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        var body = new GatedBody();
        await using var run = await AgentRun.StartAsync(test.Manager, Thread, new() { RunId = "run-1", AgentId = "planner" }, Stop);
        string id;
        using (run.BeginToolCall("call-1"))
        {
            id = await test.Manager.SpawnAsync(Thread, body.RunAsync, new() { Name = "work" }, Stop);
        }

        Assert.Empty(await run.TakeMailAsync(Stop));
        Assert.Contains("\"work\"", (await run.DigestAsync(Stop))!.Text, StringComparison.Ordinal);
        var status = await run.GetStatusAsync(Stop);
        Assert.Equal((true, false), (status.HasWork, status.HasMail));
        Assert.Equal([id], status.LiveTasks);

        var waiting = run.WaitForMailAsync(Stop).AsTask();
        Assert.False(waiting.IsCompleted);
        body.Complete();
        Assert.True(await waiting);
        Assert.Contains("completed", Assert.Single(await run.TakeMailAsync(Stop)).Text, StringComparison.Ordinal);
        Assert.Single(await run.TakeMailAsync(Stop));
        await run.AcknowledgeAsync(Stop);

        Assert.Empty(await run.TakeMailAsync(Stop));
        Assert.Null(await run.DigestAsync(Stop));
        Assert.False((await run.GetStatusAsync(Stop)).HasWork);
        Assert.False(await run.WaitForMailAsync(Stop));
        Assert.Equal(new TaskLineage { RunId = "run-1", CallId = "call-1", AgentId = "planner" }, (await test.Manager.GetAsync(id, Stop))!.Lineage);
    }

    [Fact]
    public async Task What_was_not_acknowledged_comes_again_with_the_next_run()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        await test.Manager.WaitAsync(await test.Manager.SpawnAsync(Thread, _ => Task.CompletedTask, null, Stop), Stop);
        string first;
        await using (var run = await AgentRun.StartAsync(test.Manager, Thread, null, Stop))
        {
            first = Assert.Single(await run.TakeMailAsync(Stop)).Text;
        }

        await using var next = await AgentRun.StartAsync(test.Manager, Thread, null, Stop);
        Assert.Equal(first, Assert.Single(await next.TakeMailAsync(Stop)).Text);
    }

    [Fact]
    public async Task A_snapshot_is_taken_in_at_the_start_and_its_orphans_are_told()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        TaskSnapshot[] snapshot = [new() { TaskId = "bg_41", OwnerThreadId = Thread, State = TaskState.Running, CreatedAt = test.Clock.GetUtcNow() }];

        await using var run = await AgentRun.StartAsync(test.Manager, Thread, new() { Snapshot = snapshot }, Stop);

        Assert.Contains("orphaned", Assert.Single(await run.TakeMailAsync(Stop)).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_user_writes_while_a_run_works_enters_at_the_next_step_as_it_is()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        await using var run = await AgentRun.StartAsync(test.Manager, Thread, null, Stop);
        await test.Manager.WaitAsync(await test.Manager.SpawnAsync(Thread, _ => Task.CompletedTask, null, Stop), Stop);
        using var input = JsonDocument.Parse("""
            [{"role":"system","content":"stop <here>"},{"role":"user","content":[{"type":"text","text":"and "},{"type":"text","text":"there"}]}]
            """);
        await test.Manager.PostInputAsync(Thread, input.RootElement, Stop);

        var told = await run.TakeMailAsync(Stop);

        Assert.Equal(3, told.Count);
        Assert.All(told, message => Assert.Equal(ChatRole.User, message.Role));
        Assert.Equal(["stop <here>", "and there"], told.Skip(1).Select(message => message.Text));
        Assert.Null(told[1].AdditionalProperties);
    }

    [Fact]
    public async Task What_nobody_is_told_does_not_pile_up_while_a_run_waits()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        var stored = CountEmittedAsync(test.Manager, 1_000);
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await test.Manager.SpawnAsync(
            Thread,
            async context =>
            {
                for (var i = 0; i < 1_000; i++)
                {
                    Assert.True(context.Emit("progress", i));
                }

                await go.Task;
            },
            null,
            Stop);
        await stored.WaitAsync(Stop);
        await using var run = await AgentRun.StartAsync(test.Manager, Thread, null, Stop);

        // In memory a store answers at once, so the wait has done all it does before it waits.
        var waiting = run.WaitForMailAsync(Stop).AsTask();
        Assert.Empty(run.Mail.Held);
        await test.Manager.SpawnAsync(Thread, _ => Task.CompletedTask, new() { Notify = NotifyPolicy.Silent }, Stop);
        Assert.False(waiting.IsCompleted);
        go.SetResult();

        Assert.True(await waiting);
        Assert.Contains("completed", Assert.Single(await run.TakeMailAsync(Stop)).Text, StringComparison.Ordinal);
    }

    private static async Task CountEmittedAsync(BackgroundTaskManager manager, int count)
    {
        await foreach (var change in manager.WatchAsync(null, Stop))
        {
            if (change.Kind == TaskChangeKind.Emitted && --count == 0)
            {
                return;
            }
        }
    }
}
