namespace Coppice.Testing;

internal sealed class OnlyTheHolderWrites : Law
{
    internal override string Title => "Work: only the attempt that has a task stores anything of it";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        var replay = new WorkReplay();
        foreach (var entry in evidence.Entries)
        {
            if (entry is BatchApplied { HasLanded: true } applied)
            {
                foreach (var (taskId, claim) in applied.Batch.Mutations.Select(WorkReplay.WriterOf).OfType<(string, long)>())
                {
                    if (replay.Find(taskId) is { } task && (task.Claim != claim || claim == 0 || task.Taken?.Batch.Host != applied.Batch.Host))
                    {
                        yield return $"attempt {claim} of {applied.Process} stored something of {taskId}, which "
                            + (task.Claim == 0 ? "nobody had" : $"attempt {task.Claim} of {task.Taken?.Process} had") + $": {applied.Text}";
                    }
                }
            }

            replay.Apply(entry);
        }
    }
}

internal sealed class ClaimsAreGivenOnce : Law
{
    internal override string Title => "Work: a task is claimed while it is pending and due, with a claim of its own";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        var replay = new WorkReplay();
        var given = new HashSet<long>();
        var latest = DateTimeOffset.MinValue;
        foreach (var entry in evidence.Entries)
        {
            if (entry is BatchApplied applied)
            {
                // A host's clock may be behind in what it hands in; what another has made ready is ready.
                latest = applied.Batch.Time > latest ? applied.Batch.Time : latest;
                foreach (var (claim, claimed) in applied.Landed<ClaimWork, WorkClaimed>())
                {
                    foreach (var work in claimed.Tasks)
                    {
                        var task = replay.Find(work.Task.TaskId);
                        if (!given.Add(work.Claim))
                        {
                            yield return $"claim {work.Claim} was given twice";
                        }
                        else if (task is { Claim: not 0 } or { IsEnded: true })
                        {
                            yield return $"{task.TaskId} was claimed by {applied.Process}, and {(task.IsEnded ? "it had ended" : $"attempt {task.Claim} has it")}";
                        }
                        else if (task is not null && task.DueAt?.ToUnixTimeMilliseconds() > latest.ToUnixTimeMilliseconds())
                        {
                            yield return $"{task.TaskId} was claimed at {latest:HH:mm:ss.fff}, and it was to begin at {task.DueAt:HH:mm:ss.fff}";
                        }
                        else if (!claim.Kinds.Any(kind => kind.Kind == work.Task.Work!.Kind && kind.MaxVersion >= work.Task.Work.Version))
                        {
                            yield return $"{work.Task.TaskId} of kind {work.Task.Work!.Kind} was claimed by {applied.Process}, which does not know it";
                        }
                        else if (work.Task.Work!.Deadline is { } deadline && deadline <= applied.Batch.Time)
                        {
                            yield return $"{work.Task.TaskId} was claimed at {applied.Batch.Time:HH:mm:ss.fff}, when its deadline had come";
                        }
                    }
                }
            }

            replay.Apply(entry);
        }
    }
}

internal sealed class AttemptsAreCounted : Law
{
    internal override string Title => "Work: attempts, failures and crashes are counted";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        var replay = new WorkReplay();
        foreach (var entry in evidence.Entries)
        {
            replay.Apply(entry);

            // Events are told of as the task was when it emitted them.
            if (entry is TaskChanged { Change: { Kind: not (TaskChangeKind.Restored or TaskChangeKind.Emitted), Task: var told } } && FaultOf(replay, told) is { } fault)
            {
                yield return fault;
            }

            if (entry is CameToRest)
            {
                foreach (var stored in evidence.AtRest.Values)
                {
                    if (FaultOf(replay, stored) is { } wrong)
                    {
                        yield return wrong;
                    }
                }
            }
        }
    }

    private static string? FaultOf(WorkReplay replay, TaskSnapshot stored)
    {
        if (replay.Find(stored.TaskId) is not { } task || stored.Work is not { } work)
        {
            return null;
        }

        // The last crash of all ends it.
        var crashes = task.Crashes + (task.WasSettled && stored.Error == WorkRules.CrashError(task.Crashes + 1) ? 1 : 0);
        return work.Attempt != task.Attempt ? $"{task.TaskId} had {task.Attempt} attempts, and {work.Attempt} are stored"
            : work.Failures != task.Failures ? $"{task.Failures} attempts at {task.TaskId} had failed, and {work.Failures} are stored"
            : work.Crashes != crashes ? $"{crashes} attempts at {task.TaskId} had ended with their process, and {work.Crashes} are stored"
            : null;
    }
}

internal sealed class NeverMeansOnce : Law
{
    internal override string Title => "Work: a task that is never run again is begun once, unless its attempt failed";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        foreach (var task in evidence.Tasks.Values.Where(static task => task.Work is { Recovery: RecoveryPolicy.Never }))
        {
            RunFile? begun = null;
            foreach (var run in task.Runs.Values.Where(static run => run.Began is not null))
            {
                if (begun is not null && begun.Finish is not HandBackWork { Error: not null })
                {
                    yield return $"{task.TaskId} was begun by attempt {begun.Claim}, which did not fail, and again by attempt {run.Claim}";
                }

                begun = run;
            }
        }
    }
}

internal sealed class WorkIsNotLost : Law
{
    internal override string Title => "Work: a task ends because an attempt says so, or for a reason that is its own";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        foreach (var task in evidence.Tasks.Values.Where(static task => task.Work is not null))
        {
            if (task.Ended is not { Change.Task: var stored } ended || task.Runs.Values.Any(static run => run.Finish is FinishTask))
            {
                continue;
            }

            var isKnown = stored switch
            {
                { State: TaskState.Cancelled } => stored.CancelRequestedAt is not null,
                { Error: WorkRules.DeadlineError } => stored.Work!.Deadline <= stored.CompletedAt,
                { Error: Orphans.Error } => task.Work!.Recovery == RecoveryPolicy.Never && IsGone(evidence, task, ended),
                _ => stored.Error == WorkRules.CrashError(task.Work!.MaxCrashes) && task.Work.Recovery != RecoveryPolicy.Never,
            };
            if (!isKnown)
            {
                yield return $"{task.TaskId} ({task.Work!.Recovery}) ended {stored.State.ToWireName()}{MutationText.Cause(stored.Error)}, and no attempt said so";
            }
        }
    }

    private static bool IsGone(Evidence evidence, TaskFile task, TaskChanged ended) =>
        task.Last is { } run
        && (!evidence.AliveAtRest.Contains(run.Host!) || (evidence.Closed.TryGetValue(run.Epoch, out var closing) && closing.By.Number < ended.Number));
}

internal sealed class AttemptDecides : Law
{
    internal override string Title => "Work: what an attempt said is what is stored";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        foreach (var task in evidence.Tasks.Values.Where(static task => task.Work is not null))
        {
            foreach (var run in task.Runs.Values.Where(static run => run is { Finish: not null, Finished: not null }))
            {
                if (run.Finished!.Process != run.Host)
                {
                    yield return $"{run.Finished.Process} ended attempt {run.Claim} at {task.TaskId}, which {run.Host} makes";
                }
                else if (run.Finish is FinishTask { State: var state } && task.Ended is { Change.Task.State: var stored } && state != stored)
                {
                    yield return $"attempt {run.Claim} at {task.TaskId} ended it {state.ToWireName()}, and {stored.ToWireName()} is stored";
                }
                else if (!IsSaid(run))
                {
                    yield return $"attempt {run.Claim} at {task.TaskId} "
                        + (run.BodyEnd is { Outcome: var outcome } ? $"ended {outcome.State.ToWireName()}{MutationText.Cause(outcome.Error)}" : "has not ended")
                        + $", and stored was: {run.Finished.Text}";
                }
            }
        }
    }

    private static bool IsSaid(RunFile run)
    {
        // Without its body an attempt ends only after it was told to stop.
        var mayGoWithout = run.Signalled is not null && run.Signalled.Number < run.Finished!.Number;
        if (mayGoWithout && run.Finish is FinishTask { State: TaskState.Failed or TaskState.Cancelled } or HandBackWork)
        {
            return true;
        }

        return run.BodyEnd is { } end && end.Number < run.Finished!.Number && (run.Finish, end.Outcome.State) switch
        {
            (FinishTask finish, TaskState.Completed) => finish.State == TaskState.Completed && JsonValue.Same(finish.Result, end.Outcome.Result),
            (FinishTask finish, TaskState.Failed) => finish.State == TaskState.Failed && finish.Error == end.Outcome.Error,
            (FinishTask finish, TaskState.Cancelled) => finish.State == TaskState.Cancelled,
            (HandBackWork back, TaskState.Failed) => back.Error == end.Outcome.Error,
            _ => false,
        };
    }
}
