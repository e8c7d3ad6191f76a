namespace Coppice.Testing;

/// <summary>Follows what is stored of steps and checkpoints.</summary>
internal sealed class StepLedger
{
    private readonly Dictionary<(string TaskId, string Name, string Key), (StoreStep Store, BatchApplied By)> _steps = [];
    private readonly Dictionary<string, string?> _checkpoints = new(StringComparer.Ordinal);

    internal (StoreStep Store, BatchApplied By)? Find(string taskId, string name, string key) =>
        _steps.TryGetValue((taskId, name, key), out var step) ? step : null;

    internal string? CheckpointOf(string taskId) => _checkpoints.GetValueOrDefault(taskId);

    internal int CountOf(string taskId) => _steps.Keys.Count(step => step.TaskId == taskId);

    internal void Apply(HistoryEntry entry)
    {
        if (entry is BatchApplied applied)
        {
            foreach (var (store, _) in applied.Landed<StoreStep, StepStored>())
            {
                _steps.TryAdd((store.TaskId, store.Step.Name, store.Step.Key), (store, applied));
            }

            foreach (var (store, _) in applied.Landed<StoreCheckpoint, StepStored>())
            {
                _checkpoints[store.TaskId] = store.Value?.GetRawText();
            }
        }
    }
}

internal sealed class StepsRunOnce : Law
{
    internal override string Title => "Work: a step that is stored is not run again";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        var (replay, ledger) = (new WorkReplay(), new StepLedger());
        foreach (var entry in evidence.Entries)
        {
            // An attempt that has lost its task may not know it yet; nothing of it is stored.
            if (entry is StepBegan began && replay.Find(began.TaskId)?.Claim == began.Claim
                && ledger.Find(began.TaskId, began.Name, began.Key) is { } stored)
            {
                yield return $"attempt {began.Claim} at {began.TaskId} ran step {WorkText.Of(began.Name, began.Key)} again, which attempt {stored.Store.Claim} "
                    + $"had stored at {stored.By.At.TotalSeconds:0.000} s";
            }

            if (entry is BatchApplied applied)
            {
                foreach (var (store, _) in applied.Landed<StoreStep, StepStored>())
                {
                    if (ledger.Find(store.TaskId, store.Step.Name, store.Step.Key) is { } first && first.Store.Claim != store.Claim)
                    {
                        yield return $"step {WorkText.Of(store.Step.Name, store.Step.Key)} of {store.TaskId} was stored by attempt {first.Store.Claim} and by "
                            + $"attempt {store.Claim}";
                    }
                }
            }

            ledger.Apply(entry);
            replay.Apply(entry);
        }
    }
}

internal sealed class StepsGiveWhatIsStored : Law
{
    internal override string Title => "Work: an attempt gets of a step what is stored, byte for byte";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        var ledger = new StepLedger();
        foreach (var entry in evidence.Entries)
        {
            if (entry is StepGiven given && evidence.Of(given.TaskId).Work is { Recovery: RecoveryPolicy.Resumable })
            {
                var stored = ledger.Find(given.TaskId, given.Name, given.Key)?.Store;
                if (stored is null)
                {
                    yield return $"attempt {given.Claim} at {given.TaskId} has step {WorkText.Of(given.Name, given.Key)}, which is not stored";
                }
                else if (stored.Step.Result?.GetRawText() != given.Result)
                {
                    yield return $"attempt {given.Claim} at {given.TaskId} has of step {WorkText.Of(given.Name, given.Key)} {given.Result ?? "a failure"}, and "
                        + $"{stored.Step.Result?.GetRawText() ?? "a failure"} is stored";
                }
            }

            ledger.Apply(entry);
        }
    }
}

internal sealed class CheckpointsStay : Law
{
    internal override string Title => "Work: an attempt begins with the steps and the checkpoint that are stored";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        var ledger = new StepLedger();
        var atClaim = new Dictionary<(string TaskId, long Claim), string?>();
        foreach (var entry in evidence.Entries)
        {
            if (entry is BatchApplied applied)
            {
                foreach (var work in applied.Landed<ClaimWork, WorkClaimed>().SelectMany(static claim => claim.Answer.Tasks))
                {
                    var checkpoint = ledger.CheckpointOf(work.Task.TaskId);
                    atClaim[(work.Task.TaskId, work.Claim)] = checkpoint;
                    if (work.Checkpoint?.GetRawText() != checkpoint)
                    {
                        yield return $"attempt {work.Claim} at {work.Task.TaskId} was given checkpoint {work.Checkpoint?.GetRawText() ?? "none"}, and "
                            + $"{checkpoint ?? "none"} was stored last";
                    }
                    else if (work.Steps != ledger.CountOf(work.Task.TaskId))
                    {
                        yield return $"attempt {work.Claim} at {work.Task.TaskId} was told of {work.Steps} steps, and {ledger.CountOf(work.Task.TaskId)} are stored";
                    }
                }
            }
            else if (entry is CheckpointGiven given && evidence.Of(given.TaskId).Work is { Recovery: RecoveryPolicy.Resumable }
                && atClaim.TryGetValue((given.TaskId, given.Claim), out var due) && due != given.Value)
            {
                yield return $"attempt {given.Claim} at {given.TaskId} begins at {given.Value ?? "nothing"}, and {due ?? "nothing"} was stored last";
            }

            ledger.Apply(entry);
        }
    }
}
