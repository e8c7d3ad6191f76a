namespace Coppice.Testing;

internal sealed class AcknowledgedMeansStored : Law
{
    internal override string Title => "Law 1: what was acknowledged is stored";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        var isPruned = evidence.Applied.Any(static applied => applied.Landed<PruneTasks, TasksPruned>().Any(static prune => prune.Answer.Count > 0));
        foreach (var task in evidence.Tasks.Values.Where(static task => task.Acknowledged is not null))
        {
            if (task.Added is null || task.Added.Number > task.Acknowledged!.Number)
            {
                yield return $"{task.TaskId} was acknowledged before it was stored";
            }
            else if (!evidence.AtEnd.ContainsKey(task.TaskId) && !(isPruned && task.Ended is not null))
            {
                yield return $"{task.TaskId} was acknowledged and is not there any more";
            }
        }
    }
}

internal sealed class BodiesStartOnce : Law
{
    internal override string Title => "Law 1: a body starts after its commit, on its host, and once";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        foreach (var task in evidence.Tasks.Values)
        {
            foreach (var run in task.Runs.Values.Where(static run => run.Starts.Count > 0))
            {
                var start = run.Starts[0];
                if (run.Taken is null || run.Taken.Number > start.Number)
                {
                    yield return $"the body of {task.TaskId}{run} started before its task was stored";
                }
                else if (run.Starts.Count > 1)
                {
                    yield return $"the body of {task.TaskId}{run} started {run.Starts.Count} times";
                }
                else if (start.Host != run.Host)
                {
                    yield return $"the body of {task.TaskId}{run} started on {start.Host}, and {run.Host} {(run.Claim == 0 ? "spawned" : "claimed")} it";
                }
            }
        }
    }
}

internal sealed class NamesAreUnique : Law
{
    internal override string Title => "Law 4: among a thread's live tasks a name is unique";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        var live = new Dictionary<(string Thread, string Name), string>();
        foreach (var change in evidence.Entries.OfType<TaskChanged>().Select(static changed => changed.Change))
        {
            if (change.Task.Name is not { } name)
            {
                continue;
            }

            var key = (change.Task.OwnerThreadId, name);
            if (change.Kind == TaskChangeKind.Spawned && !live.TryAdd(key, change.Task.TaskId))
            {
                yield return $"{change.Task.TaskId} got the name '{name}' while {live[key]} of {change.Task.OwnerThreadId} had it";
            }
            else if (change.Kind == TaskChangeKind.Ended && live.TryGetValue(key, out var holder) && holder == change.Task.TaskId)
            {
                live.Remove(key);
            }
        }
    }
}

internal sealed class IdsCount : Law
{
    internal override string Title => "Law 5: ids count up from 0, without gaps, and are never used again";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var next = 0L;
        foreach (var change in evidence.Entries.OfType<TaskChanged>().Select(static changed => changed.Change))
        {
            if (change.Kind is not (TaskChangeKind.Spawned or TaskChangeKind.Restored))
            {
                continue;
            }

            var isCounted = TaskIds.TryParse(change.Task.TaskId, out var number);
            if (!seen.Add(change.Task.TaskId) && !(change.Kind == TaskChangeKind.Restored && evidence.Of(change.Task.TaskId).CameBack))
            {
                yield return $"{change.Task.TaskId} was given twice";
            }
            else if (change.Kind == TaskChangeKind.Spawned && (!isCounted || (number != next && !evidence.LeavesGaps)))
            {
                yield return $"{change.Task.TaskId} was given where {TaskIds.Format(next)} was due";
            }

            if (isCounted)
            {
                next = Math.Max(next, number + 1);
            }
        }
    }
}

internal sealed class LineageIsKept : Law
{
    internal override string Title => "Law 6: a task knows what it was spawned from";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        foreach (var spawning in evidence.Entries.OfType<Spawning>())
        {
            if (spawning.Ambient is { } ambient && spawning.Task.Lineage.TaskId is null)
            {
                yield return $"a spawn by the body of {ambient} was handed in without a parent";
            }
        }

        foreach (var task in evidence.Tasks.Values.Where(static task => task.Add is not null && task.Changes.Count > 0))
        {
            if (task.Changes[0].Change.Task.Lineage != task.Add!.Lineage)
            {
                yield return $"{task.TaskId} was stored with another lineage than it was handed in with";
            }
        }
    }
}

internal sealed class RestoreSkipsTheKnown : Law
{
    internal override string Title => "Law 10: a restore skips what is known, and counts";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        foreach (var task in evidence.Tasks.Values)
        {
            var origins = task.Changes.Count(static change => change.Change.Kind is TaskChangeKind.Spawned or TaskChangeKind.Restored);
            if (origins > 1)
            {
                yield return $"{task.TaskId} was restored although it was known";
            }
        }

        // A store that is opened anew may count on from the last commit that changed something.
        var opening = 0;
        var openings = evidence.Entries.Select(entry => (Opening: entry is StoreReopened ? ++opening : opening, Entry: entry)).ToList();
        var restored = openings
            .Where(static at => at.Entry is TaskChanged { Change.Kind: TaskChangeKind.Restored })
            .ToLookup(static at => (at.Opening, ((TaskChanged)at.Entry).Change.Revision));
        foreach (var at in openings)
        {
            if (at.Entry is not BatchApplied applied)
            {
                continue;
            }

            foreach (var (restore, answer) in applied.Landed<RestoreTasks, TasksRestored>())
            {
                var told = restored[(at.Opening, applied.Result.Revision)].Count();
                if (answer.Result.Added != told || answer.Result.Added + answer.Result.Skipped != restore.Tasks.Count)
                {
                    yield return $"a restore of {restore.Tasks.Count} was answered with {answer.Result}, and {told} came in";
                }
            }
        }
    }
}
