namespace Coppice.Testing.Tests;

/// <summary>
/// A host dies at the k-th commit of a script with tasks of registered kinds, for every k: before it is stored, after it is stored and before it is
/// answered, and right after the answer. Then another host goes on with the work, every task that is to be run again ends well, and no step that
/// was stored is paid for twice.
/// </summary>
public sealed class CrashAtEachCommitOfWorkTests(ITestOutputHelper output)
{
    private static readonly Order Work = Do("step", "branches", "loop", "kept", "checkpoint", "sleep", "spawn", "spawn", "join", "emit", "step");
    private static readonly Order Reading = Do("mail", "step", "mail");

    public static TheoryData<CrashMoment> Moments => [CrashMoment.Before, CrashMoment.AfterUnanswered, CrashMoment.AfterAnswered];

    [Theory]
    [MemberData(nameof(Moments))]
    public Task In_memory(CrashMoment moment) => CrashAtEachAsync(moment, SimulationStore.InMemory);

    [Theory]
    [MemberData(nameof(Moments))]
    public async Task On_SQLite_opened_anew(CrashMoment moment)
    {
        using var store = new SqliteSimulationStore();
        await CrashAtEachAsync(moment, store);
    }

    private async Task CrashAtEachAsync(CrashMoment moment, SimulationStore store)
    {
        // The script's length is not known beforehand: the last crash is the one that never comes.
        var crashes = 0;
        for (var k = 1; ; k++)
        {
            var hasCrashed = false;
            await Simulation.ExploreAsync(
                async world => hasCrashed = await RunAsync(world, k, moment),
                new SimulationOptions { Histories = 3, FirstSeed = k, Faults = SimulationFaults.None, Store = store },
                TestContext.Current.CancellationToken);
            if (!hasCrashed)
            {
                break;
            }

            crashes++;
        }

        output.WriteLine($"{crashes} commits, a crash {moment} at each.");
        Assert.InRange(crashes, 30, 120);
    }

    private static async Task<bool> RunAsync(SimulationWorld world, int commit, CrashMoment moment)
    {
        var host = await world.StartHostAsync("first", options => Register(world, options));
        host.CrashAtCommit(commit, moment);
        await IgnoreCrashAsync(host.RunAsync(ScriptAsync));
        var hasCrashed = !host.IsAlive;
        if (!hasCrashed)
        {
            await IgnoreCrashAsync(host.ShutDownAsync());
            hasCrashed = host.HasCrashed;
        }

        var next = await world.StartHostAsync("next", options => Register(world, options));
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

        return hasCrashed;
    }

    private static async Task ScriptAsync(BackgroundTaskManager manager)
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

    private static void Register(SimulationWorld world, BackgroundTaskOptions options)
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

    private static Order Do(params string[] does) => new([.. does.Select(static (what, i) => new Doing(what, i))]);

    private static async Task IgnoreCrashAsync(Task work)
    {
        try
        {
            await work;
        }
        catch (SimulatedHostCrashedException)
        {
            // That is the point.
        }
    }
}
