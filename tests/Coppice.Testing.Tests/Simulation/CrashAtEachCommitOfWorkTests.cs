namespace Coppice.Testing.Tests;

/// <summary>
/// A host with tasks of registered kinds dies at any commit, and the next one goes on with the work: every task that is to be run again ends
/// well, and no step that was stored is paid for twice.
/// </summary>
public sealed class CrashAtEachCommitOfWorkTests(ITestOutputHelper output) : CrashAtEachCommit(output)
{
    private static readonly Order Work = Do("step", "branches", "loop", "kept", "checkpoint", "sleep", "spawn", "spawn", "join", "emit", "step");
    private static readonly Order Reading = Do("mail", "step", "mail");

    protected override int Histories => 3;

    protected override int FewestCommits => 30;

    protected override void Configure(SimulationWorld world, BackgroundTaskOptions options)
    {
        var paid = 0;
        foreach (var kind in WorkKinds.All)
        {
            options.Tasks.Add(
                kind,
                (order, context) => new WorkBody(world, world.Hosts.First(host => host.Options == options), context, () => ++paid, static () => "bg_0") { IsSteady = true }
                    .RunAsync(order));
        }
    }

    protected override async Task ScriptAsync(BackgroundTaskManager manager)
    {
        var work = await manager.SpawnAsync(WorkKinds.Steps, "owner", Work, new SpawnOptions { IdempotencyKey = "work" });
        var once = await manager.SpawnAsync(WorkKinds.Once, "owner", Do("step", "step"), new SpawnOptions { Delay = TimeSpan.FromSeconds(1), Priority = 1 });
        var agent = await manager.SpawnAsync(WorkKinds.Agent, "owner", Reading, new SpawnOptions { IdempotencyKey = "agent" });
        await manager.SendAsync(agent.Id, new MessageSender("owner", "caller"), "one");
        await manager.SendAsync(agent.Id, new MessageSender("owner", "caller"), "two");
        await once.ResultAsync();
        await agent.ResultAsync();
        await work.ResultAsync();
    }

    protected override async Task CheckAsync(SimulationWorld world, SimulatedHost next)
    {
        await world.DelayAsync(TimeSpan.FromMinutes(2));

        // Whatever came of the first try, the same keys lead to the same tasks, and they end well.
        await next.RunAsync(async manager =>
        {
            var work = await manager.SpawnAsync(WorkKinds.Steps, "owner", Work, new SpawnOptions { IdempotencyKey = "work" });
            await work.ResultAsync();
            var agent = await manager.SpawnAsync(WorkKinds.Agent, "owner", Reading, new SpawnOptions { IdempotencyKey = "agent" });
            await agent.ResultAsync();
        });
        await foreach (var task in next.Manager.QueryAsync(new TaskQuery()))
        {
            Assert.True(task.State == TaskState.Completed || task.Work is { Recovery: RecoveryPolicy.Never }, $"{task.TaskId} is {task.State}: {task.Error}");
        }
    }

    private static Order Do(params string[] does) => new([.. does.Select(static (what, i) => new Doing(what, i))]);
}
