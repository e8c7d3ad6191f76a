using Coppice.StoreContract;

namespace Coppice.Cluster.Tests;

/// <summary>What is promised of several hosts on one database, whatever happens to them, to it and to the network.</summary>
public sealed class ClusterTests
{
    private const int Hosts = 3;
    private const int SecondsInTests = 30;
    private const int SecondsWithStandby = 12;
    private const int SecondsInLongRun = 3_600;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Under_random_faults_of_hosts_network_and_database_nothing_acknowledged_is_lost_and_every_task_ends_once()
    {
        var length = TimeSpan.FromSeconds(LongRun.Count(SecondsInTests, SecondsInLongRun, "COPPICE_SECONDS"));
        await RunAsync(length, withStandby: false);
    }

    [Fact]
    public async Task A_standby_that_confirms_each_commit_takes_over_and_nothing_acknowledged_is_lost()
    {
        var length = TimeSpan.FromSeconds(LongRun.Count(SecondsWithStandby, 4 * SecondsWithStandby));
        await RunAsync(length, withStandby: true);
    }

    private static async Task RunAsync(TimeSpan length, bool withStandby)
    {
        var seed = RandomSeed.Draw();
        await using var run = await ClusterRun.StartAsync(seed, Hosts, withStandby);

        var broken = await run.RunAsync(length, Stop);

        Assert.True(broken.Count == 0, $"seed {seed}, logs in {run.Folder}:\n{string.Join('\n', broken)}\n{run.Summary}");
        LongRun.Report($"{length.TotalSeconds} s of faults: {run.Summary}");
        Directory.Delete(run.Folder, recursive: true);
    }
}
