using System.Diagnostics;

namespace Coppice.Testing.Tests;

/// <summary>One seed is one history, here and in any other process.</summary>
public sealed class DeterminismTests
{
    private const string HistoryFile = "COPPICE_HISTORY_FILE";
    private const long Seed = 4;

    [Fact]
    public async Task A_seed_gives_the_same_history_twice()
    {
        for (var seed = Seed; seed < Seed + 10; seed++)
        {
            Assert.Equal(await HistoryAsync(seed), await HistoryAsync(seed));
        }
    }

    [Fact]
    public async Task A_seed_gives_the_same_history_in_another_process()
    {
        var file = Path.GetTempFileName();
        try
        {
            var start = new ProcessStartInfo("dotnet", [typeof(DeterminismTests).Assembly.Location, "-noColor", "-method", "*" + nameof(The_other_process)])
            {
                RedirectStandardOutput = true,
            };
            start.Environment[HistoryFile] = file;
            using var process = Process.Start(start)!;
            await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);

            Assert.Equal(await HistoryAsync(Seed), await File.ReadAllLinesAsync(file, TestContext.Current.CancellationToken));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task The_other_process()
    {
        if (Environment.GetEnvironmentVariable(HistoryFile) is not { Length: > 0 } file)
        {
            Assert.Skip("It is run by another test.");
            return;
        }

        await File.WriteAllLinesAsync(file, await HistoryAsync(Seed), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_replay_string_gives_the_history_again()
    {
        static async Task Scenario(SimulationWorld world)
        {
            var host = await world.StartHostAsync("host");
            await Task.WhenAll(host.RunAsync(manager => SpawnAsync(manager, "first")), host.RunAsync(manager => SpawnAsync(manager, "second")));
            var tasks = await host.Manager.ListAsync("t");
            if (tasks[0].Description == "second")
            {
                throw new InvalidOperationException("The second came first.");
            }
        }

        static async Task SpawnAsync(BackgroundTaskManager manager, string description) =>
            await manager.SpawnAsync("t", static _ => Task.FromResult(TaskOutcome.Success(1)), new SpawnOptions { Description = description });

        var failure = await Assert.ThrowsAsync<SimulationFailedException>(
            () => Simulation.ExploreAsync(Scenario, cancellationToken: TestContext.Current.CancellationToken));
        var again = await Assert.ThrowsAsync<SimulationFailedException>(() => Simulation.ReplayAsync(Scenario, failure.Replay));

        Assert.Equal("Scenario: InvalidOperationException", failure.Law);
        Assert.Equal(failure.History, again.History);
        Assert.Contains(failure.Replay, failure.Message, StringComparison.Ordinal);
        Assert.InRange(failure.History.Count, 5, 25);
    }

    private static async Task<IReadOnlyList<string>> HistoryAsync(long seed)
    {
        var report = await Simulation.ExploreAsync(
            RandomScenario.RunAsync,
            new SimulationOptions { Histories = 1, FirstSeed = seed, Faults = new SimulationFaults { Crashes = 0.005 }, MaxTime = TimeSpan.FromHours(6) },
            TestContext.Current.CancellationToken);
        return report.History;
    }
}
