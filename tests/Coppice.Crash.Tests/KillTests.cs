using System.Globalization;
using Coppice.StoreContract;

namespace Coppice.Crash.Tests;

/// <summary>Laws 1, 2, 8 and 9 on a durable store whose process is killed.</summary>
public sealed class KillTests
{
    private const int RoundsOfOneStore = 50;
    private const int MostLines = 1000;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Law01_Law02_Law08_Law09_Killed_at_any_moment_nothing_acknowledged_is_lost_and_every_end_is_told_once()
    {
        var kills = LongRun.Count(inTests: RoundsOfOneStore / 2, inLongRun: 1_000, "COPPICE_KILLS");
        var seed = RandomSeed.Draw();
        var random = new Random(seed);
        var totals = new KillTotals();
        while (totals.Kills < kills)
        {
            // Every check reads all that the store ever held, so a store that took all the kills would be read more than it is killed.
            using var folder = new StoreFolder();
            var audit = new StoreAudit();
            var rounds = Math.Min(RoundsOfOneStore, kills - totals.Kills);
            for (var round = 0; round < rounds; round++)
            {
                await KillOnceAsync(folder, audit, seed + totals.Kills + round, random);
            }

            totals += audit.Totals with { Kills = rounds };
            LongRun.Progress($"{totals.Kills} of {kills} kills: {totals}");
        }

        LongRun.Report($"{totals.Kills} kills of SIGKILL, in stores of {RoundsOfOneStore}: {totals}");
        LongRun.Report($"after each kill: nothing acknowledged was lost, every task has ended, once, with one terminal event after all that it emitted");
        Assert.True(totals.Orphans > 0 && totals.Ends > 0, "No kill ever hit a running task, or no task ever ended: the test shows nothing.");
    }

    private static async Task KillOnceAsync(StoreFolder folder, StoreAudit audit, int seed, Random random)
    {
        using var child = ChildProcess.Start("busy", folder.DatabasePath, seed.ToString(CultureInfo.InvariantCulture));
        await child.BegunAsync(Stop);
        await child.WroteAsync(random.Next(MostLines), Stop);
        await child.KillAsync(Stop);
        Assert.Equal("", child.Errors.Trim());

        await using var store = await SqliteTaskStore.OpenAsync(folder.DatabasePath, cancellationToken: Stop);
        await using var manager = await BackgroundTaskManager.StartAsync(store, cancellationToken: Stop);
        audit.Acknowledge(child.Lines);
        await audit.CheckAsync(manager, Stop);
    }
}
