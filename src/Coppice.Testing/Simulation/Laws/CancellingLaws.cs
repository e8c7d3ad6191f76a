namespace Coppice.Testing;

internal sealed class NoChildOfACancelledParent : Law
{
    internal override string Title => "Law 7: no child lands under a task with a cancel request";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        var forest = new Forest();
        foreach (var entry in evidence.Entries)
        {
            if (entry is TasksForgotten forgotten)
            {
                forest.Forget(forgotten.Left);
            }

            if (entry is not TaskChanged { Change: var change })
            {
                continue;
            }

            if (change.Kind == TaskChangeKind.Spawned && forest.Forbids(change.Task.Lineage) is { } cancelled)
            {
                yield return $"{change.Task.TaskId} was spawned under {cancelled}, whose cancellation had been requested";
            }

            forest.Apply(change);
        }
    }
}

internal sealed class CancelReachesAll : Law
{
    internal override string Title => "Law 7: a cancel reaches every live task that it covers, and no other";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        var forest = new Forest();
        foreach (var entry in evidence.Entries)
        {
            switch (entry)
            {
                case TaskChanged changed:
                    forest.Apply(changed.Change);
                    break;
                case TasksForgotten forgotten:
                    forest.Forget(forgotten.Left);
                    break;
                case BatchApplied applied:
                    foreach (var (cancel, answer) in applied.Landed<RequestCancel, CancelReached>())
                    {
                        var covered = forest.Covered(cancel);
                        if (!covered.SetEquals(answer.TaskIds) || covered.Count != answer.TaskIds.Count)
                        {
                            yield return $"cancelling {cancel.Scope} {cancel.Key} reached {List(answer.TaskIds)} and should have reached {List(covered)}";
                        }
                    }

                    break;
            }
        }
    }

    private static string List(IEnumerable<string> ids) => "[" + string.Join(", ", ids.Order(StringComparer.Ordinal)) + "]";
}

internal sealed class CancelIsSignalled : Law
{
    internal override string Title => "Law 7: a cancel request reaches the body";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        foreach (var stored in evidence.AtRest.Values)
        {
            if (stored.CancelRequestedAt is not null && !stored.State.IsTerminal()
                && evidence.Of(stored.TaskId).Last is { Host: { } host } run && evidence.AliveAtRest.Contains(host)
                && !evidence.IsBeforeRest(run.Signalled) && !evidence.IsBeforeRest(run.BodyEnd))
            {
                yield return $"the cancellation of {stored.TaskId} was requested by {stored.CancelledBy} and its body was not signalled";
            }
        }
    }
}
