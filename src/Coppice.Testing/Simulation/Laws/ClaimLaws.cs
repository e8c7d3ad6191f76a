namespace Coppice.Testing;

internal sealed class LimitsHold : Law
{
    internal override string Title => "Work: no more of a kind runs at once than its limits allow";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        var replay = new WorkReplay();
        foreach (var entry in evidence.Entries)
        {
            replay.Apply(entry);
            if (entry is not BatchApplied applied)
            {
                continue;
            }

            foreach (var (claim, claimed) in applied.Landed<ClaimWork, WorkClaimed>())
            {
                if (claimed.Tasks.Count > claim.Limit)
                {
                    yield return $"{applied.Process} asked for {claim.Limit} tasks and got {claimed.Tasks.Count}";
                }

                foreach (var task in claimed.Tasks.Select(work => replay.Find(work.Task.TaskId)).OfType<WorkReplay.Held>())
                {
                    var limits = claim.Kinds.First(kind => kind.Kind == task.Work.Kind);
                    var ofKind = replay.Running.Where(running => running.Work.Kind == task.Work.Kind).ToList();
                    var ofThread = ofKind.Count(running => running.ThreadId == task.ThreadId);
                    if (ofKind.Count > limits.MaxRunning)
                    {
                        yield return $"with {task.TaskId} {ofKind.Count} of kind {task.Work.Kind} run, and {limits.MaxRunning} may";
                    }
                    else if (ofThread > limits.MaxRunningPerThread)
                    {
                        yield return $"with {task.TaskId} {ofThread} of kind {task.Work.Kind} run for {task.ThreadId}, and {limits.MaxRunningPerThread} may";
                    }
                }
            }
        }
    }
}

internal sealed class RoomIsKept : Law
{
    internal override string Title => "Work: a host takes no more tasks than it has room for";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        var replay = new WorkReplay();
        var parked = new Dictionary<SimulatedProcess, int>();
        var started = new HashSet<(string, long)>();
        foreach (var entry in evidence.Entries)
        {
            switch (entry)
            {
                case BodyStarted start:
                    started.Add((start.TaskId, start.Claim));
                    break;
                case BodyParked park:
                    parked[park.Host] = parked.GetValueOrDefault(park.Host) + (park.Begins ? 1 : -1);
                    break;
                case Claiming claiming when evidence.Hosts.FirstOrDefault(host => host.Process == claiming.Host) is { } host:
                    // Of what landed unseen it may not know yet.
                    var running = replay.Running.Count(task =>
                        task.Taken!.Process == claiming.Host && (!task.Taken.IsUnseen || started.Contains((task.TaskId, task.Claim))));
                    if (running + claiming.Claim.Limit - parked.GetValueOrDefault(claiming.Host) > host.Options.MaxConcurrentAttempts)
                    {
                        yield return $"{claiming.Host} runs {running} and asks for {claiming.Claim.Limit} more, {parked.GetValueOrDefault(claiming.Host)} are parked, "
                            + $"and {host.Options.MaxConcurrentAttempts} may run";
                    }

                    break;
            }

            replay.Apply(entry);
        }
    }
}

internal sealed class KeysAreUnique : Law
{
    internal override string Title => "Work: an idempotency key has one task";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        var replay = new WorkReplay();
        foreach (var entry in evidence.Entries)
        {
            if (entry is BatchApplied applied)
            {
                foreach (var (add, answer) in applied.Landed<AddTask, TaskAdded>())
                {
                    var known = add.Work is not { IdempotencyKey: { } key } ? null : replay.Tasks.FirstOrDefault(
                        task => task.ThreadId == add.OwnerThreadId && task.Work.IdempotencyKey == key);
                    if (known is not null && known.TaskId != answer.TaskId)
                    {
                        yield return $"key '{add.Work!.IdempotencyKey}' of {add.OwnerThreadId} was {known.TaskId}'s, and {answer.TaskId} got it";
                    }
                    else if (known is null && answer.WasKnown)
                    {
                        yield return $"key '{add.Work?.IdempotencyKey}' of {add.OwnerThreadId} was nobody's, and {answer.TaskId} was said to have it";
                    }
                }
            }

            replay.Apply(entry);
        }
    }
}
