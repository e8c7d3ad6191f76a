using System.Globalization;

namespace Coppice.Testing.Tests;

/// <summary>
/// Seeded histories of random work on each store. COPPICE_SEED picks the first seed and COPPICE_HISTORIES how many; COPPICE_LONG=1
/// means 10,000.
/// </summary>
public sealed class ExplorationTests(ITestOutputHelper output)
{
    private static int Histories => Number("COPPICE_HISTORIES") ?? (Environment.GetEnvironmentVariable("COPPICE_LONG") == "1" ? 10_000 : 250);

    private static long FirstSeed => Number("COPPICE_SEED") ?? 1;

    [Fact]
    public Task No_history_on_the_store_in_memory_breaks_a_law() => ExploreAsync("in memory", RandomScenario.RunAsync, SimulationStore.InMemory);

    [Fact]
    public async Task No_history_on_SQLite_breaks_a_law()
    {
        using var store = new SqliteSimulationStore();
        await ExploreAsync("on SQLite", RandomScenario.RunAsync, store);
    }

    [Fact]
    public Task No_history_of_registered_kinds_on_the_store_in_memory_breaks_a_law() =>
        ExploreAsync("of registered kinds in memory", WorkScenario.RunAsync, SimulationStore.InMemory);

    [Fact]
    public async Task No_history_of_registered_kinds_on_SQLite_breaks_a_law()
    {
        using var store = new SqliteSimulationStore();
        await ExploreAsync("of registered kinds on SQLite", WorkScenario.RunAsync, store);
    }

    private async Task ExploreAsync(string where, Func<SimulationWorld, Task> scenario, SimulationStore store)
    {
        var report = await Simulation.ExploreAsync(
            scenario,
            new SimulationOptions
            {
                Histories = Histories,
                FirstSeed = FirstSeed,
                Store = store,
                Faults = new SimulationFaults { Crashes = 0.005 },
                MaxTime = TimeSpan.FromHours(6),
            },
            TestContext.Current.CancellationToken);
        output.WriteLine($"Seeds {FirstSeed} to {FirstSeed + Histories - 1} {where}: {report}");
        if (Environment.GetEnvironmentVariable("COPPICE_RESULTS") is { Length: > 0 } file)
        {
            await File.AppendAllTextAsync(file, $"Seeds {FirstSeed} to {FirstSeed + Histories - 1} {where}: {report}\n", TestContext.Current.CancellationToken);
        }

        Assert.Equal(Histories, report.Histories);
    }

    private static int? Number(string variable) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
