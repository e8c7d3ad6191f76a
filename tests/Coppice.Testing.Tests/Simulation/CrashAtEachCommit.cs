namespace Coppice.Testing.Tests;

/// <summary>
/// A host dies at the k-th commit of a script, for every k: before it is stored, after it is stored and before it is answered, and right
/// after the answer. Then another host takes over.
/// </summary>
public abstract class CrashAtEachCommit(ITestOutputHelper output)
{
    public static TheoryData<CrashMoment> Moments => [CrashMoment.Before, CrashMoment.AfterUnanswered, CrashMoment.AfterAnswered];

    /// <summary>Gets how many histories each crash has.</summary>
    protected abstract int Histories { get; }

    /// <summary>Gets how many commits the script has at the least; it has at the most four times as many.</summary>
    protected abstract int FewestCommits { get; }

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

    /// <summary>Sets the options of either host.</summary>
    protected abstract void Configure(SimulationWorld world, BackgroundTaskOptions options);

    /// <summary>What the first host does.</summary>
    protected abstract Task ScriptAsync(BackgroundTaskManager manager);

    /// <summary>What the next host finds when it has taken over.</summary>
    protected abstract Task CheckAsync(SimulationWorld world, SimulatedHost next);

    private async Task CrashAtEachAsync(CrashMoment moment, SimulationStore store)
    {
        // The script's length is not known beforehand: the last crash is the one that never comes.
        var crashes = 0;
        for (var k = 1; ; k++)
        {
            var hasCrashed = false;
            await Simulation.ExploreAsync(
                async world => hasCrashed = await RunAsync(world, k, moment),
                new SimulationOptions { Histories = Histories, FirstSeed = k, Faults = SimulationFaults.None, Store = store },
                TestContext.Current.CancellationToken);
            if (!hasCrashed)
            {
                break;
            }

            crashes++;
        }

        output.WriteLine($"{crashes} commits, a crash {moment} at each.");
        Assert.InRange(crashes, FewestCommits, 4 * FewestCommits);
    }

    private async Task<bool> RunAsync(SimulationWorld world, int commit, CrashMoment moment)
    {
        var host = await world.StartHostAsync("first", options => Configure(world, options));
        host.CrashAtCommit(commit, moment);
        await host.RunAsync(ScriptAsync).UnlessCrashedAsync();
        var hasCrashed = !host.IsAlive;
        if (!hasCrashed)
        {
            await host.ShutDownAsync().UnlessCrashedAsync();
            hasCrashed = host.HasCrashed;
        }

        await CheckAsync(world, await world.StartHostAsync("next", options => Configure(world, options)));
        return hasCrashed;
    }
}
