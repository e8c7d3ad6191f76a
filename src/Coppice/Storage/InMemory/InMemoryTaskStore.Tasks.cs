namespace Coppice;

/// <content>Adding, moving and ending tasks.</content>
public sealed partial class InMemoryTaskStore
{
    private AddRefused? CheckAdd(AddTask task)
    {
        if (_forest.Check(task) is { } error)
        {
            return new AddRefused(error);
        }

        if (Partition(task.OwnerThreadId).IsNameTaken(task.Name))
        {
            return new AddRefused(SpawnError.DuplicateName);
        }

        return task.Continues is null ? null : CheckContinues(task, task.Continues);
    }

    private AddRefused? CheckContinues(AddTask task, string continues)
    {
        if (_directory.Find(continues) is not { Agent: { } seat } before
            || before.Owner.ThreadId != task.OwnerThreadId || seat.ThreadId != task.AgentThreadId)
        {
            return new AddRefused(SpawnError.ContinuesUnknown);
        }

        return Partition(seat.ThreadId).LiveAgents > 0 ? new AddRefused(SpawnError.AgentBusy) : null;
    }

    private Added Create(MutationBatch batch, AddTask task)
    {
        var reservation = _directory.Reserve();
        var record = new TaskRecord(
            TaskIds.Format(reservation.Number), Partition(task.OwnerThreadId), task, batch.Host.Epoch, batch.Time);
        return new Added(reservation, record);
    }

    private void Publish(MutationBatch batch, Added added, ChangeFeed.Turn turn)
    {
        var record = added.Record;
        record.Owner.AddLive(record);
        if (LineageForest.Concerns(record.Lineage))
        {
            _forest.Link(record);
        }

        // Who looks for what hangs below the id finds it under the stranger or under the task, and at no time under neither.
        using (_forest.HasStrangers ? _forest.Enter() : default)
        {
            added.Reservation.Publish(record);
            if (_forest.HasStrangers)
            {
                _forest.Adopt(record);
            }
        }

        if (record.Agent is { } seat)
        {
            Partition(seat.ThreadId).LiveAgents++;
            Open(batch, new OpenMailbox(seat.ThreadId, seat.Reader), turn);
        }

        turn.TellChange(TaskChangeKind.Spawned, record);
    }

    private TaskRecord? FindOwned(MutationBatch batch, string taskId) =>
        _directory.Find(taskId) is { } task && task.OwnerEpoch == batch.Host.Epoch ? task : null;

    private MoveRefused MoveRefusal(MutationBatch batch, string taskId) => new(FindOwned(batch, taskId)?.State);

    private MoveRefused? CheckMove(MutationBatch batch, string taskId, TaskState to) =>
        FindOwned(batch, taskId) is { } task && task.State.CanMoveTo(to) ? null : MoveRefusal(batch, taskId);

    private TaskMoved Move(MoveTask move, ChangeFeed.Turn turn)
    {
        var task = _directory.Find(move.TaskId)!;
        task.MoveTo(move.To);
        turn.TellChange(TaskChangeKind.Moved, task);
        return TaskMoved.Instance;
    }

    private TaskFinished Finish(MutationBatch batch, FinishTask finish, ChangeFeed.Turn turn)
    {
        var task = _directory.Find(finish.TaskId)!;
        PostNew(task, finish.FirstEvent, finish.Events, turn);
        if (finish.CancelledBy is { } by && task.RequestCancel(by, batch.Time, out var isFirst) && isFirst)
        {
            turn.TellChange(TaskChangeKind.CancelRequested, task);
        }

        End(task, finish, batch.Time, turn);
        return TaskFinished.Instance;
    }

    /// <summary>Ends a task whose partitions are locked.</summary>
    private void End(TaskRecord task, FinishTask finish, DateTimeOffset at, ChangeFeed.Turn turn)
    {
        var concernsForest = task.End(finish, at);
        task.Owner.End(task);
        if (concernsForest)
        {
            _forest.End(task);
        }

        turn.TellChange(TaskChangeKind.Ended, task);
        PostEnd(task, turn);
        if (task.Agent is { } seat)
        {
            EndAgent(task, seat, at, turn);
        }

        foreach (var listener in turn.Listeners)
        {
            listener.OnEnded(task.TaskId);
        }
    }

    private void EndAgent(TaskRecord task, AgentSeat seat, DateTimeOffset at, ChangeFeed.Turn turn)
    {
        var partition = Partition(seat.ThreadId);
        var mail = partition.Mail;
        partition.LiveAgents--;
        seat.IsClosed = true;
        Bury(task, mail, seat.ThreadId, at);
        if (mail.Reader == seat.Reader)
        {
            CloseMail(seat.ThreadId, mail, turn);
        }
    }

    private CancelReached Cancel(MutationBatch batch, RequestCancel cancel, ChangeFeed.Turn turn)
    {
        var reached = new List<string>();
        var first = new List<TaskRecord>();
        if (cancel.Scope != CancelScope.Task)
        {
            using var forest = _forest.Enter();
            var (tasks, stump) = RootsOf(cancel);
            _forest.Fell(tasks, stump, cancel.By, batch.Time, reached, first);
        }
        else if (_directory.Find(cancel.Key) is { } task && task.RequestCancel(cancel.By, batch.Time, out var isFirst))
        {
            reached.Add(task.TaskId);
            if (isFirst)
            {
                first.Add(task);
            }
        }

        foreach (var task in first)
        {
            turn.TellChange(TaskChangeKind.CancelRequested, task);
            foreach (var listener in turn.Listeners)
            {
                listener.OnCancelRequested(task.TaskId, task.OwnerEpoch);
            }
        }

        return new CancelReached(reached);
    }

    private (IEnumerable<TaskRecord> Tasks, Stump? Stump) RootsOf(RequestCancel cancel)
    {
        switch (cancel.Scope)
        {
            case CancelScope.Thread when _partitions.TryGetValue(cancel.Key, out var partition):
                return (partition.Live().Concat(_forest.DeadWoodOf(partition)), null);
            case CancelScope.Tree:
                return _directory.Find(cancel.Key) is { } task ? ([task], null) : ([], _forest.FindUnknownTask(cancel.Key));
            case CancelScope.Run:
                return ([], _forest.FindRun(cancel.Key));
            default:
                return ([], null);
        }
    }

    private TasksRestored Restore(MutationBatch batch, RestoreTasks restore, ChangeFeed.Turn turn)
    {
        // A task takes over what hung below its id in the same moment in which it can be found.
        using var forest = _forest.Enter();
        int added = 0, skipped = 0, orphaned = 0;
        var owner = Partition(restore.OwnerThreadId);
        foreach (var task in restore.Tasks)
        {
            var isOrphan = !task.State.IsTerminal();
            var record = new TaskRecord(owner, isOrphan ? Orphaned(task, batch.Time) : task);
            if (!_directory.TryAdd(record))
            {
                skipped++;
                continue;
            }

            added++;
            owner.Add(record);
            _forest.Adopt(record);
            turn.TellChange(TaskChangeKind.Restored, record);
            if (isOrphan)
            {
                orphaned++;
                PostEnd(record, turn);
            }
        }

        return new TasksRestored(new RestoreResult(added, skipped, orphaned));
    }

    private static TaskSnapshot Orphaned(TaskSnapshot live, DateTimeOffset at) =>
        live with { State = TaskState.Failed, Error = Orphans.Error, Result = null, CompletedAt = at };

    private CommitResult Prune(MutationBatch batch, PruneTasks prune)
    {
        if (!_hosts.IsOpen(batch.Host))
        {
            return Fenced();
        }

        var count = 0;
        foreach (var partition in _partitions.Values)
        {
            lock (partition)
            {
                var old = partition.InOrder()
                    .Where(task => !task.IsLive && (task.CompletedAt ?? task.CreatedAt) < prune.EndedBefore && TryForget(task))
                    .ToHashSet();
                partition.Remove(old);
                count += old.Count;
            }
        }

        return Landed(batch, new TasksPruned(count));
    }

    private bool TryForget(TaskRecord task)
    {
        // A child that is being spawned below it either keeps it, or finds it gone.
        using var forest = _forest.Enter();
        if (_forest.HasLiveBelow(task))
        {
            return false;
        }

        _directory.Remove(task);
        return true;
    }

    private readonly record struct Added(TaskDirectory.Reservation Reservation, TaskRecord Record);
}
