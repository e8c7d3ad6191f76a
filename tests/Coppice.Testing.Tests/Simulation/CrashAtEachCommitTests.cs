namespace Coppice.Testing.Tests;

/// <summary>A host with every sort of plain task dies at any commit, and the laws hold.</summary>
public sealed class CrashAtEachCommitTests(ITestOutputHelper output) : CrashAtEachCommit(output)
{
    protected override int Histories => 5;

    protected override int FewestCommits => 15;

    protected override void Configure(SimulationWorld world, BackgroundTaskOptions options) =>
        options.OnUnreadMail = static (_, _) => ValueTask.CompletedTask;

    protected override async Task ScriptAsync(BackgroundTaskManager manager)
    {
        var first = await manager.SpawnAsync("owner", static async context =>
        {
            context.Emit("begun", 1);
            var child = await context.Manager.SpawnAsync("owner", Ends);
            await context.Manager.WaitAsync(child);
            context.Emit("done", 2);
            return TaskOutcome.Success("result");
        });
        var named = await manager.SpawnAsync("owner", Parked, new SpawnOptions { Name = "named" });
        var agent = await manager.SpawnAgentAsync("owner", static async context =>
        {
            var item = await context.Inbox.ReadAsync(context.CancellationToken);
            await context.Inbox.AckAsync(item.Sequence);
            await context.Manager.SpawnAsync(context.ThreadId, Ends);
            return TaskOutcome.Failure("said no");
        });
        await manager.SendAsync(agent, new MessageSender("owner", "caller"), "one");
        await manager.SendAsync(agent, new MessageSender("owner", "caller"), "two");
        await manager.WaitAsync(first);
        await manager.CancelTreeAsync(named);
        await manager.WaitAsync(named);
        await manager.WaitAsync(agent);
        await using var inbox = await manager.OpenInboxAsync("owner");
        var mail = await inbox.DrainAsync();
        await inbox.AckAsync(mail[0].Sequence);
        await manager.RestoreAsync("owner", [new TaskSnapshot { TaskId = "foreign", State = TaskState.Running }]);
        await manager.PruneAsync(TimeSpan.Zero);
        await manager.SpawnAsync("owner", Parked);
    }

    protected override async Task CheckAsync(SimulationWorld world, SimulatedHost next)
    {
        await world.DelayAsync(TimeSpan.FromSeconds(20));
        Assert.False(await next.Manager.HasRunningAsync("owner"));
        var id = await next.Manager.SpawnAsync("owner", Ends, new SpawnOptions { Name = "named" });
        Assert.Equal(TaskState.Completed, (await next.Manager.WaitAsync(id)).State);
    }

    private static Task<TaskOutcome> Ends(TaskContext context) => Task.FromResult(TaskOutcome.Success(1));

    private static async Task<TaskOutcome> Parked(TaskContext context)
    {
        await context.WhenCancelledAsync();
        return TaskOutcome.Cancelled;
    }
}
