using System.Globalization;

namespace Coppice.Crash.Tests;

/// <summary>Laws 1, 2, 8 and 9 on a durable store whose process is killed.</summary>
public sealed class KillTests(ITestOutputHelper output)
{
    private const int Rounds = 50;
    private const int MostLines = 1000;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Law01_Law02_Law08_Law09_Killed_at_any_moment_nothing_acknowledged_is_lost_and_every_end_is_told_once()
    {
        var seed = Environment.GetEnvironmentVariable("COPPICE_SEED") is { Length: > 0 } given
            ? int.Parse(given, CultureInfo.InvariantCulture)
            : Random.Shared.Next(1_000_000);
        output.WriteLine($"COPPICE_SEED={seed}");
        var random = new Random(seed);
        using var folder = new StoreFolder();
        var audit = new StoreAudit();
        for (var round = 0; round < Rounds; round++)
        {
            await KillOnceAsync(folder, audit, seed + round, random);
        }

        output.WriteLine(audit.Summary);
        Assert.True(audit.Orphans > 0 && audit.Ends > 0, "No kill ever hit a running task, or no task ever ended: the test shows nothing.");
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
