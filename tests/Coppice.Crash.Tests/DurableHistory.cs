using System.Globalization;

namespace Coppice.Crash.Tests;

/// <summary>
/// What a row of processes did on one store, all but the last of them killed: the lines that each has written, and what it left in the store. It
/// checks what holds for any work of registered kinds.
/// </summary>
internal sealed class DurableHistory(StoreFolder folder)
{
    private readonly List<string[][]> _runs = [];
    private readonly List<StoreDump> _dumps = [];
    private int _lines;

    /// <summary>Gets what each killed process left in the store, and at last what was there in the end.</summary>
    internal IReadOnlyList<StoreDump> Dumps => _dumps;

    internal StoreDump End => _dumps[^1];

    internal int Kills => _runs.Count - 1;

    /// <summary>Gets how often a step, or a whole attempt, was paid for again whose result had not been stored.</summary>
    internal int PaidAgain { get; private set; }

    internal string LogPath => folder.PathOf("paid");

    /// <summary>Lets a process work on the store until it ends or is killed, and notes what it did.</summary>
    /// <returns>Whether it was killed.</returns>
    internal async Task<bool> RunAsync(string workload, string[] arguments, CancellationToken stop)
    {
        const int killed = 128 + 9;
        using var child = ChildProcess.Start([workload, folder.DatabasePath, LogPath, .. arguments]);
        var code = await child.ExitAsync(stop);
        Assert.True(code is 0 or killed && child.Errors.Trim().Length == 0, $"The child ended with {code}. {child.Errors}");
        Output = [.. child.Lines];

        var lines = await File.ReadAllLinesAsync(LogPath, stop);
        _runs.Add([.. lines.Skip(_lines).Select(static line => line.Split(' '))]);
        _lines = lines.Length;
        _dumps.Add(await StoreDump.TakeAsync(folder, stop));
        return code == killed;
    }

    /// <summary>Gets what the last process wrote on its standard output.</summary>
    internal IReadOnlyList<string> Output { get; private set; } = [];

    /// <summary>The lines of one process or of all, of one form: without the letter that says which form.</summary>
    internal IEnumerable<string[]> Lines(string form, int? run = null) =>
        (run is { } only ? _runs[only] : _runs.SelectMany(static lines => lines)).Where(words => words[0] == form).Select(static words => words[1..]);

    internal string[][] Run(int run) => _runs[run];

    internal IEnumerable<string[]> AllLines => _runs.SelectMany(static lines => lines);

    /// <summary>Whether an attempt at the task ended with its process, so that its last words need not have been stored.</summary>
    internal bool WasLost(string taskId) => End.Tasks[taskId].Work!.Crashes > 0;

    internal async Task CheckAsync(CancellationToken stop)
    {
        for (var run = 0; run < _runs.Count; run++)
        {
            CheckStored(run);
        }

        for (var run = 1; run < _runs.Count; run++)
        {
            CheckKept(_dumps[run - 1], run);
        }

        foreach (var task in End.Tasks.Values)
        {
            CheckCounts(task);
        }

        CheckKeys();
        await CheckMailAsync(stop);
    }

    /// <summary>What a process was told is stored, is.</summary>
    private void CheckStored(int run)
    {
        var dump = _dumps[run];
        foreach (var spawned in Lines("S", run))
        {
            Assert.Equal(spawned[0], dump.Tasks[spawned[1]].Work!.IdempotencyKey);
        }

        foreach (var read in Lines("A", run))
        {
            Assert.True(dump.Acknowledged[read[0]] >= Number(read[1]), $"{read[0]} acknowledged {read[1]}, and the store does not know.");
        }

        // A step whose result was given to the body comes before the next thing that its flow pays for, so it is enough to look at what is stored.
        var paid = Lines("E").Where(line => line.Length > 4).Select(static line => line[4]).ToHashSet();
        foreach (var step in dump.Steps.SelectMany(static steps => steps).Where(static step => step.Name is not ("sleep" or "children")))
        {
            Assert.Contains(step.Error ?? step.Result!.Value.GetString()!, paid);
        }
    }

    /// <summary>What one process left is not done again by the next, and does not change.</summary>
    private void CheckKept(StoreDump before, int run)
    {
        var after = _dumps[run];
        Assert.Empty(before.Tasks.Keys.Except(after.Tasks.Keys));
        foreach (var ended in before.Tasks.Values.Where(static task => task.State.IsTerminal()))
        {
            Assert.Equal(ended, after.Tasks[ended.TaskId]);
        }

        var earlier = Enumerable.Range(0, run).SelectMany(past => Lines("E", past)).Select(static line => (line[0], line[1], line[2])).ToHashSet();
        foreach (var paid in Lines("B", run))
        {
            var (taskId, step, key) = (paid[0], paid[1], paid[2]);
            Assert.False(
                before.Tasks.TryGetValue(taskId, out var task) && task.State.IsTerminal(), $"{taskId} had ended as {task?.State}, and paid for {step} {key}.");
            Assert.False(
                before.Steps[taskId].Any(stored => stored.Name == step && (stored.Key.Length == 0 ? "-" : stored.Key) == key),
                $"{taskId} had stored {step} {key}, and paid for it again.");
            PaidAgain += earlier.Contains((taskId, step, key)) ? 1 : 0;
        }

        foreach (var read in Lines("R", run))
        {
            Assert.True(
                !before.Acknowledged.TryGetValue(read[0], out var through) || Number(read[1]) > through,
                $"{read[0]} had acknowledged {through}, and was given {read[1]} again.");
        }
    }

    /// <summary>Attempts and crashes are what the kills made of them.</summary>
    private void CheckCounts(TaskSnapshot task)
    {
        Assert.True(task.State.IsTerminal(), $"{task.TaskId} is {task.State} in the end.");
        var work = task.Work!;
        var lost = _dumps.SkipLast(1).Select(dump => dump.Tasks.GetValueOrDefault(task.TaskId)).Where(static then => then?.State == TaskState.Running).ToList();
        if (work.Recovery == RecoveryPolicy.Never)
        {
            Assert.Equal(lost.Count > 0, task.Error == Orphans);
            Assert.True(work.Attempt <= 1, $"{task.TaskId} had {work.Attempt} attempts.");
            return;
        }

        // One whose cancellation was requested is cancelled with its process, and that is that.
        Assert.True(
            work.Crashes == lost.Count(static then => then!.CancelRequestedAt is null), $"{lost.Count} kills hit the running task {task.TaskId}, which counts {work.Crashes}.");
        var others = work.Attempt - work.Failures - work.Crashes;
        var isCrashed = task.Error == WorkRules.CrashError(work.Crashes);
        Assert.True(
            task.State == TaskState.Cancelled ? others is 0 or 1 : others == (isCrashed ? 0 : 1),
            $"{task.TaskId} is {task.State} after {work.Attempt} attempts, of which {work.Failures} failed and {work.Crashes} were lost.");

        // What was paid says which attempt paid; none paid that is not counted.
        Assert.All(Lines("B").Where(line => line[0] == task.TaskId), line => Assert.InRange(Number(line[3]), 1, work.Attempt));
    }

    private void CheckKeys()
    {
        var keys = End.Tasks.Values.Select(static task => (task.OwnerThreadId, task.Work!.IdempotencyKey)).ToList();
        Assert.Equal(keys.Count, keys.Distinct().Count());
    }

    private async Task CheckMailAsync(CancellationToken stop)
    {
        await using var store = await SqliteTaskStore.OpenAsync(folder.DatabasePath, cancellationToken: stop);
        await using var manager = await BackgroundTaskManager.StartAsync(store, cancellationToken: stop);
        foreach (var thread in End.Tasks.Values.GroupBy(static task => task.OwnerThreadId))
        {
            await using var inbox = await manager.OpenInboxAsync(thread.Key, stop);
            var mail = await inbox.DrainAsync(stop);
            Assert.Equal(Enumerable.Range(1, mail.Count).Select(static number => (long)number), mail.Select(static item => item.Sequence));
            var ends = mail.Select(static item => (TaskEvent)item.Event).Where(static mail => mail.IsTerminal).ToLookup(static mail => mail.TaskId);
            foreach (var task in thread)
            {
                Assert.Equal(Expected(task), Assert.Single(ends[task.TaskId]));
            }

            Assert.Equal(thread.Count(), ends.Count);
        }
    }

    internal const string Orphans = "task orphaned: runtime restarted while running";

    internal static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    private static TaskEvent Expected(TaskSnapshot task) => task.State switch
    {
        TaskState.Completed => new TaskCompleted(task.TaskId, task.Result),
        TaskState.Failed => new TaskFailed(task.TaskId, task.Error!),
        _ => new TaskCancelled(task.TaskId),
    };
}
