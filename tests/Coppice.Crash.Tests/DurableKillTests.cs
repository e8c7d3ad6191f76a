using System.Collections.Concurrent;
using System.Globalization;
using Coppice.StoreContract;

namespace Coppice.Crash.Tests;

/// <summary>What is promised of tasks of registered kinds, on a durable store whose processes are killed.</summary>
public sealed class DurableKillTests
{
    private const int AtOnce = 2;
    private const int RoundsOfOneStore = 15;
    private const int MostCommits = 250;
    private const int LongestPause = 4_000; // microseconds: some commits long

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Killed_right_after_any_commit_no_stored_step_is_paid_again_and_every_task_ends_once_as_expected()
    {
        var seed = RandomSeed.Draw();
        var random = new Random(seed);
        var commits = await ScriptAsync([]);
        var plans = Plans(commits.Commits, random);
        var histories = new ConcurrentBag<ScriptOutcome>();
        await Parallel.ForEachAsync(plans, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = Stop }, async (kills, _) =>
        {
            histories.Add(await ScriptAsync(kills));
            LongRun.Progress($"{histories.Count} of {plans.Count}");
        });

        var (killed, orphans, again) = (histories.Sum(static one => one.Kills), histories.Sum(static one => one.Orphans), histories.Sum(static one => one.PaidAgain));
        LongRun.Report($"the script has {commits.Commits} commits; {plans.Count} runs of it, {killed} SIGKILLs: {orphans} tasks that may not run again were orphans");
        LongRun.Report($"no step, row or message that was stored was paid for again; {again} payments had not been stored");
        Assert.True(killed >= plans.Count * 3 / 4, $"Only {killed} processes of {plans.Count} were killed: the test shows little.");
    }

    [Fact]
    public async Task Killed_at_any_moment_no_work_is_lost_or_paid_again_once_it_is_stored_and_no_limit_is_exceeded()
    {
        var rounds = LongRun.Count(inTests: RoundsOfOneStore, inLongRun: 10 * RoundsOfOneStore, "COPPICE_KILLS");
        var seed = RandomSeed.Draw();
        var random = new Random(seed);
        var (kills, tasks, crashes, again) = (0, 0, 0, 0);
        for (var store = 0; kills < rounds; store++)
        {
            using var folder = new StoreFolder();
            var history = new DurableHistory(folder);
            for (var round = 0; round < RoundsOfOneStore; round++, kills++)
            {
                Assert.True(await history.RunAsync("work", [Text(random.Next(1_000_000)), Text(random.Next(1, MostCommits)), Text(random.Next(LongestPause))], Stop));
            }

            Assert.False(await history.RunAsync("finish", [], Stop));
            await history.CheckAsync(Stop);
            WorkAudit.Check(history);
            tasks += history.End.Tasks.Count;
            crashes += history.End.Tasks.Values.Sum(static task => task.Work!.Crashes) + history.End.Tasks.Values.Count(static task => task.Error == DurableHistory.Orphans);
            again += history.PaidAgain;
            LongRun.Progress($"{kills} of {rounds} kills: {tasks} tasks, {crashes} attempts ended with their process");
        }

        LongRun.Report($"{kills} SIGKILLs at random, in stores of {RoundsOfOneStore}: {tasks} tasks; {crashes} attempts ended with their process; {again} payments were made again that had not been stored");
        LongRun.Report($"no task was lost or ended twice, nothing stored was paid for again, no limit was exceeded, nothing began before its time");
        Assert.True(crashes > 0, "No kill ever hit a running task: the test shows nothing.");
    }

    /// <summary>The kills of each run: after a commit, before its answer or soon after; in the long form also twice.</summary>
    private static List<List<(int Commit, int Pause)>> Plans(int commits, Random random)
    {
        var plans = new List<List<(int, int)>>();
        var first = random.Next(3);
        for (var commit = 1; commit <= commits; commit++)
        {
            if (LongRun.IsOn)
            {
                plans.Add([(commit, 0)]);
                plans.Add([(commit, random.Next(1, LongestPause))]);
                plans.Add([(commit, 0), (random.Next(1, commits), random.Next(2) * random.Next(LongestPause))]);
            }
            else if (commit % 3 == first)
            {
                plans.Add([(commit, commit / 3 % 2 * random.Next(1, LongestPause))]);
            }
        }

        return plans;
    }

    private static async Task<ScriptOutcome> ScriptAsync(List<(int Commit, int Pause)> kills)
    {
        using var folder = new StoreFolder();
        var history = new DurableHistory(folder);
        try
        {
            var killed = 0;
            foreach (var (commit, pause) in kills)
            {
                // Commits are grouped as they come, so that a run may have one less: then it just ends.
                killed += await history.RunAsync("script", [Text(commit), Text(pause)], Stop) ? 1 : 0;
            }

            Assert.False(await history.RunAsync("script", [Text(0), Text(0)], Stop));
            await history.CheckAsync(Stop);
            ScriptAudit.Check(history);
            return new ScriptOutcome(
                killed,
                history.End.Tasks.Values.Count(static task => task.Error == DurableHistory.Orphans),
                history.PaidAgain,
                int.Parse(history.Output.Single(static line => line.StartsWith("COMMITS ", StringComparison.Ordinal))[8..], CultureInfo.InvariantCulture));
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw new InvalidOperationException(
                $"Killed at {string.Join(", ", kills)}: {e.Message}\n{await File.ReadAllTextAsync(history.LogPath, Stop)}", e);
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private sealed record ScriptOutcome(int Kills, int Orphans, int PaidAgain, int Commits);
}
