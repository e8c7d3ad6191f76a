namespace Coppice.Testing.Tests;

/// <summary>
/// A host dies at the k-th commit of a script, for every k: before it is stored, after it is stored and before it is answered, and right
/// after the answer. Then another host takes over, and the laws hold.
/// </summary>
public sealed class CrashAtEachCommitTests(ITestOutputHelper output)
{
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
                new SimulationOptions { Histories = 5, FirstSeed = k, Faults = SimulationFaults.None, Store = store },
                TestContext.Current.CancellationToken);
            if (!hasCrashed)
            {
                break;
            }

            crashes++;
        }

        output.WriteLine($"{crashes} commits, a crash {moment} at each.");
        Assert.InRange(crashes, 15, 60);
    }

    private static async Task<bool> RunAsync(SimulationWorld world, int commit, CrashMoment moment)
    {
        var host = await world.StartHostAsync("first", static options => options.OnUnreadMail = static (_, _) => ValueTask.CompletedTask);
        host.CrashAtCommit(commit, moment);
        await IgnoreCrashAsync(host.RunAsync(ScriptAsync));
        var hasCrashed = !host.IsAlive;
        if (!hasCrashed)
        {
            await IgnoreCrashAsync(host.ShutDownAsync());
            hasCrashed = host.HasCrashed;
        }

        var next = await world.StartHostAsync("next", static options => options.OnUnreadMail = static (_, _) => ValueTask.CompletedTask);
        await world.DelayAsync(TimeSpan.FromSeconds(20));
        Assert.False(await next.Manager.HasRunningAsync("owner"));
        var id = await next.Manager.SpawnAsync("owner", Ends, new SpawnOptions { Name = "named" });
        Assert.Equal(TaskState.Completed, (await next.Manager.WaitAsync(id)).State);
        return hasCrashed;
    }

    private static async Task ScriptAsync(BackgroundTaskManager manager)
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

    private static Task<TaskOutcome> Ends(TaskContext context) => Task.FromResult(TaskOutcome.Success(1));

    private static async Task<TaskOutcome> Parked(TaskContext context)
    {
        await context.WhenCancelledAsync();
        return TaskOutcome.Cancelled;
    }
}
