namespace Coppice.Crash.Tests;

/// <summary>What random work of registered kinds has to come to. The limits are those of <c>WorkKinds</c> in the child.</summary>
internal static class WorkAudit
{
    private const int Retries = 2;
    private const int RetryPause = 20;
    private const int FragileCrashes = 2;

    private static readonly Dictionary<string, (int All, int OfThread)> Limits = new()
    {
        ["steps"] = (8, 2),
        ["retried"] = (5, int.MaxValue),
        ["fragile"] = (int.MaxValue, 1),
        ["once"] = (3, int.MaxValue),
        ["calm"] = (int.MaxValue, int.MaxValue),
    };

    internal static void Check(DurableHistory history)
    {
        for (var run = 0; run <= history.Kills; run++)
        {
            CheckLimits(history.Run(run));
        }

        var mayBeCancelled = history.Lines("X").Select(static line => line[0]).ToHashSet();
        var receipts = history.Lines("E").ToLookup(static paid => (paid[0], paid[2]), static paid => paid[4]);
        var entered = history.Lines("I").ToLookup(static line => line[0], static line => (Attempt: DurableHistory.Number(line[3]), At: DurableHistory.Number(line[4])));

        // A delay counts from the call, which is a little before the creation; of a spawn whose answer was lost nobody wrote the time.
        var dueAt = history.Lines("D").ToDictionary(static line => line[0], static line => DurableHistory.Number(line[1]));
        foreach (var task in history.End.Tasks.Values)
        {
            if (task.State == TaskState.Cancelled)
            {
                Assert.Contains(task.TaskId, mayBeCancelled);
            }
            else
            {
                CheckEnd(task, receipts, mayBeCancelled.Contains(task.TaskId));
            }

            CheckTimes(task, dueAt.GetValueOrDefault(task.TaskId), [.. entered[task.TaskId]]);
        }

        CheckPauses(history);
    }

    /// <summary>A body is inside for a shorter time than its attempt runs, and a kill ends all of them.</summary>
    private static void CheckLimits(string[][] lines)
    {
        var inside = new Dictionary<string, int>();
        foreach (var words in lines.Where(static words => words[0] is "I" or "O"))
        {
            var (kind, thread) = (words[2], words[3]);
            var change = words[0] == "I" ? 1 : -1;
            var all = inside[kind] = inside.GetValueOrDefault(kind) + change;
            var ofThread = inside[$"{kind} {thread}"] = inside.GetValueOrDefault($"{kind} {thread}") + change;
            Assert.True(all <= Limits[kind].All, $"{all} tasks of {kind} ran at once.");
            Assert.True(ofThread <= Limits[kind].OfThread, $"{ofThread} tasks of {kind} ran at once for {thread}.");
        }
    }

    private static void CheckEnd(TaskSnapshot task, ILookup<(string TaskId, string Key), string> receipts, bool mayBeCancelled)
    {
        var (work, fails) = (task.Work!, task.Work!.Input.GetProperty("fails").GetInt32());
        if (task.State == TaskState.Completed)
        {
            // Of a step that was paid for twice the last receipt counts: the one before it was lost with its process.
            var parts = work.Input.GetProperty("steps").GetInt32();
            var last = Enumerable.Range(0, parts).Select(part => receipts[(task.TaskId, FormattableString.Invariant($"{part}"))].Last());
            Assert.Equal(string.Join(' ', last), task.Result!.Value.GetString());
            Assert.Equal(fails, work.Failures);
            return;
        }

        var expected = work.Kind switch
        {
            "once" => DurableHistory.Orphans,
            "fragile" => WorkRules.CrashError(FragileCrashes),

            // A body that fails after the request to cancel it has decided, and nobody wants another attempt.
            "retried" when fails > Retries || (mayBeCancelled && fails > 0) => "as asked",
            _ => "nothing",
        };
        Assert.Equal(expected, task.Error);
    }

    private static void CheckTimes(TaskSnapshot task, long dueAt, List<(long Attempt, long At)> entered)
    {
        if (entered.Count == 0)
        {
            return;
        }

        Assert.True(entered[0].At >= dueAt, $"{task.TaskId} began {dueAt - entered[0].At} ms before its time.");

        // An attempt that was claimed and killed before its body began leaves a gap; none begins twice.
        Assert.Equal(entered.Select(static body => body.Attempt).Distinct().Order(), entered.Select(static body => body.Attempt));
    }

    private static void CheckPauses(DurableHistory history)
    {
        var failed = new Dictionary<string, long>();
        foreach (var words in history.AllLines)
        {
            if (words is ["O", var loser, _, _, "failed", var at])
            {
                failed[loser] = DurableHistory.Number(at);
            }
            else if (words is ["I", var taskId, _, _, _, var begun] && failed.Remove(taskId, out var since) && !history.WasLost(taskId))
            {
                Assert.True(DurableHistory.Number(begun) >= since + RetryPause, $"{taskId} was tried again after {DurableHistory.Number(begun) - since} ms.");
            }
        }
    }
}
