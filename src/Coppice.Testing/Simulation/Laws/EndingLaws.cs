namespace Coppice.Testing;

internal sealed class FirstEndWins : Law
{
    internal override string Title => "Law 2: a task ends once, and how it ended never changes";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        foreach (var task in evidence.Tasks.Values)
        {
            if (task.Ended is not { } ended || task.CameBack)
            {
                continue;
            }

            if (task.Changes.Find(change => change.Number > ended.Number) is { } later)
            {
                yield return $"after it had ended, {later.Text}";
            }

            foreach (var stored in new[] { evidence.AtRest, evidence.AtEnd })
            {
                if (stored.TryGetValue(task.TaskId, out var now) && (ended.Number < evidence.Rest || stored == evidence.AtEnd)
                    && !IsSameEnd(ended.Change.Task, now))
                {
                    yield return $"{task.TaskId} ended {ended.Change.Task.State.ToWireName()}{MutationText.Cause(ended.Change.Task.Error)}, "
                        + $"and later it was {now.State.ToWireName()}{MutationText.Cause(now.Error)}";
                }
            }
        }
    }

    private static bool IsSameEnd(TaskSnapshot left, TaskSnapshot right) =>
        left.State == right.State && left.Error == right.Error && left.CompletedAt == right.CompletedAt && JsonValue.Same(left.Result, right.Result);
}

internal sealed class BodyDecides : Law
{
    internal override string Title => "Law 3: what the body said is what is stored";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        foreach (var task in evidence.Tasks.Values.Where(static task => task.Work is null))
        {
            if (task.Last is not { Finish: FinishTask finish, Finished: { } finished } run || task.Ended is not { } ended)
            {
                continue;
            }

            if (finished.Process != run.Host)
            {
                yield return $"{finished.Process} ended {task.TaskId}, whose body is on {run.Host}";
            }
            else if (run.BodyEnd is null && run.Starts.Count > 0)
            {
                yield return $"{task.TaskId} was ended {finish.State.ToWireName()}, and its body has not ended";
            }
            else if (run.BodyEnd is { Outcome: var outcome } && !IsSame(outcome, ended.Change.Task))
            {
                yield return $"the body of {task.TaskId} ended {outcome.State.ToWireName()}{MutationText.Cause(outcome.Error)}, "
                    + $"and {ended.Change.Task.State.ToWireName()}{MutationText.Cause(ended.Change.Task.Error)} is stored";
            }
        }
    }

    private static bool IsSame(TaskOutcome outcome, TaskSnapshot task) =>
        outcome.State == task.State && outcome.Error == task.Error && JsonValue.Same(outcome.Result, task.Result);
}

internal sealed class OnlyTheDeadAreOrphaned : Law
{
    internal override string Title => "Law 9: a task is orphaned when its host is gone, and only then";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        foreach (var task in evidence.Tasks.Values)
        {
            if (task.Ended is not { } ended || task.IsRestored || task.Work is not null || task.Last is not { Finish: null } run)
            {
                continue;
            }

            var stored = ended.Change.Task;
            if (stored.State != TaskState.Failed || stored.Error != Orphans.Error)
            {
                yield return $"{task.TaskId} ended {stored.State.ToWireName()}{MutationText.Cause(stored.Error)}, and no host said so";
            }
            else if (evidence.AliveAtRest.Contains(run.Host!) && !(evidence.Closed.TryGetValue(run.Epoch, out var closing) && closing.By.Number < ended.Number))
            {
                yield return $"{task.TaskId} was orphaned while its host {run.Host} lived and was not fenced off";
            }
        }
    }
}

internal sealed class FencedHostsStoreNothing : Law
{
    internal override string Title => "Law 9: a host that was given up stores nothing";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        foreach (var applied in evidence.Applied.Where(static applied => applied.HasLanded))
        {
            if (evidence.Closed.TryGetValue(applied.Batch.Host.Epoch, out var closing) && closing.By.Number < applied.Number)
            {
                yield return $"{applied.Process} was fenced off at {closing.By.At.TotalSeconds:0.000} s and yet: {applied.Text}";
            }
        }
    }
}

internal sealed class FencedBodiesAreSignalled : Law
{
    internal override string Title => "Law 9: the bodies of a host that was given up are signalled";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        foreach (var task in evidence.Tasks.Values)
        {
            foreach (var run in task.Runs.Values.Where(run => run.Host is not null && evidence.AliveAtRest.Contains(run.Host)))
            {
                if (run.Starts.Count > 0 && !evidence.IsBeforeRest(run.BodyEnd) && !evidence.IsBeforeRest(run.Signalled)
                    && evidence.Closed.TryGetValue(run.Epoch, out var closing) && closing.By.Number < evidence.Rest)
                {
                    yield return $"the body of {task.TaskId}{run} goes on, on {run.Host}, which was given up";
                }
            }
        }
    }
}

internal sealed class EndsLand : Law
{
    internal override string Title => "Law 12: an end is stored as soon as the store lets it";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        foreach (var task in evidence.Tasks.Values)
        {
            if (task.Last is { BodyEnd: { } end } run && end.Number < evidence.Rest && evidence.AliveAtRest.Contains(end.Host)
                && evidence.AtRest.TryGetValue(task.TaskId, out var stored) && stored.State is not TaskState.Pending && !stored.State.IsTerminal())
            {
                yield return $"the body of {task.TaskId}{run} ended {end.Outcome.State.ToWireName()} and it still is {stored.State.ToWireName()}";
            }
        }
    }
}

internal sealed class EverythingLiveHasABody : Law
{
    internal override string Title => "Liveness: no task is live without a body";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        foreach (var stored in evidence.AtRest.Values.Where(static task => !task.State.IsTerminal() && task is not { State: TaskState.Pending, Work: not null }))
        {
            var run = evidence.Of(stored.TaskId).Last;
            if (run?.Host is null || !evidence.AliveAtRest.Contains(run.Host))
            {
                yield return $"{stored.TaskId} is {stored.State.ToWireName()} and its host {run?.Host} is gone";
            }
            else if (run.Starts.Count == 0)
            {
                yield return $"{stored.TaskId} is {stored.State.ToWireName()} and its body never started";
            }
            else if (evidence.Closed.TryGetValue(run.Epoch, out var closing) && closing.By.Number < evidence.Rest)
            {
                yield return $"{stored.TaskId} is {stored.State.ToWireName()} although its host {run.Host} was given up";
            }
        }
    }
}

internal sealed class Shutdown : Law
{
    internal const string Name = "Law 13: a shutdown ends everything, and nothing is stored after it";

    internal override string Title => Name;

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        var disposed = new HashSet<SimulatedProcess>();
        foreach (var entry in evidence.Entries)
        {
            if (entry is HostDisposed { Host: var host })
            {
                disposed.Add(host);
            }
            else if (entry is BatchApplied { HasLanded: true, Process: { } process } applied && disposed.Contains(process))
            {
                yield return $"{process} had shut down, and yet: {applied.Text}";
            }
        }

        foreach (var open in evidence.Hosts.Where(static each => each.IsDisposed).SelectMany(static each => each.OpenCalls.Select(call => $"{call} on {each.Name}")))
        {
            yield return $"a {open} is still waiting after the shutdown";
        }
    }
}

internal sealed class NothingFailsInside : Law
{
    private const int RunFailed = 2006;

    internal override string Title => "Law 12: nothing fails inside the manager";

    internal override IEnumerable<string> Judge(Evidence evidence) =>
        evidence.Entries.OfType<Logged>().Where(static logged => logged.EventId == RunFailed).Select(static logged => $"{logged.Text}{Environment.NewLine}{logged.Exception}");
}
