namespace Coppice;

/// <content>Adding, moving and ending tasks.</content>
public sealed partial class InMemoryTaskStore
{
    private AddRefused? CheckAdd(AddTask task)
    {
        if (FindKnown(task) is { } known)
        {
            return known.Work!.Kind == task.Work!.Kind ? null : new AddRefused(SpawnError.IdempotencyKeyReused);
        }

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

    /// <summary>The task that is there already under the key of the one to add.</summary>
    private TaskRecord? FindKnown(AddTask task) =>
        task.Work?.IdempotencyKey is { } key ? Partition(task.OwnerThreadId).Find(key) : null;

    private Added Create(MutationBatch batch, AddTask task)
    {
        var reservation = _directory.Reserve();
        var record = new TaskRecord(reservation.Number, Partition(task.OwnerThreadId), task, batch.Host.Epoch, batch.Time);
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
            var partition = Partition(seat.ThreadId);
            partition.LiveAgents++;
            if (record.Work is null)
            {
                Open(batch, new OpenMailbox(seat.ThreadId, seat.Reader), turn);
            }
            else
            {
                partition.WaitingAgents++;
            }
        }

        turn.TellChange(TaskChangeKind.Spawned, record);
        if (record.Work is { } work)
        {
            Offer(work, batch.Time, turn);
        }
    }

    /// <summary>A task that the batch's host has, by the attempt that speaks.</summary>
    private TaskRecord? FindOwned(MutationBatch batch, string taskId, long claim) =>
        _directory.Find(taskId) is { } task && task.OwnerEpoch == batch.Host.Epoch && (task.Work?.Claim ?? 0) == claim ? task : null;

    private MoveRefused MoveRefusal(MutationBatch batch, string taskId, long claim) => new(FindOwned(batch, taskId, claim)?.State);

    private MoveRefused? CheckLive(MutationBatch batch, string taskId, long claim) =>
        FindOwned(batch, taskId, claim) is { IsLive: true } ? null : MoveRefusal(batch, taskId, claim);

    private MoveRefused? CheckEnd(MutationBatch batch, FinishTask finish) =>
        finish.State.IsTerminal() && FindOwned(batch, finish.TaskId, finish.Claim) is { } task && task.State.CanMoveTo(finish.State)
            ? null : MoveRefusal(batch, finish.TaskId, finish.Claim);

    /// <summary>Work is pending again only once it is handed back, which says when and why.</summary>
    private MoveRefused? CheckMove(MutationBatch batch, MoveTask move) =>
        !move.To.IsTerminal() && FindOwned(batch, move.TaskId, move.Claim) is { } task && task.State.CanMoveTo(move.To)
            && (task.Work is null || move.To != TaskState.Pending)
            ? null : MoveRefusal(batch, move.TaskId, move.Claim);

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
        NoteCancel(task, finish.CancelledBy, batch.Time, turn);
        End(task, finish, batch.Time, turn);
        return TaskFinished.Instance;
    }

    /// <summary>Notes a cancel request that the store could not be told at the time.</summary>
    private static void NoteCancel(TaskRecord task, string? by, DateTimeOffset at, ChangeFeed.Turn turn)
    {
        if (by is not null && task.RequestCancel(by, at, out var isFirst) && isFirst)
        {
            turn.TellChange(TaskChangeKind.CancelRequested, task);
        }
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

        if (task.Work is { } work && _board.Remove(work))
        {
            TellWork(turn, work.Kind, null);
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
        if (task.Work is { IsWaiting: true })
        {
            partition.WaitingAgents--;
        }

        seat.IsClosed = true;
        Bury(task, mail, seat.ThreadId, at);
        if (mail.Reader == seat.Reader)
        {
            CloseMail(partition, turn);
        }
    }

    /// <summary>Requests a cancellation. What waits for a host ends with it, which is left over to <see cref="EndFelled"/>.</summary>
    private CancelReached Cancel(MutationBatch batch, RequestCancel cancel, ChangeFeed.Turn turn, ref List<TaskRecord>? felled)
    {
        var reached = new List<TaskRecord>();
        var first = new List<TaskRecord>();
        if (cancel.Scope != CancelScope.Task)
        {
            using var forest = _forest.Enter();
            var (tasks, stump) = RootsOf(cancel);
            _forest.Fell(tasks, stump, cancel.By, batch.Time, reached, first);
        }
        else if (_directory.Find(cancel.Key) is { } task)
        {
            // A claim holds this lock from its look whether there was a request until the host can hear of one.
            using var forest = task.Work is null ? default : _forest.Enter();
            if (task.RequestCancel(cancel.By, batch.Time, out var isFirst))
            {
                reached.Add(task);
                if (isFirst)
                {
                    first.Add(task);
                }
            }
        }

        foreach (var task in first)
        {
            turn.TellChange(TaskChangeKind.CancelRequested, task);
            if (task.IsWaiting)
            {
                continue;
            }

            foreach (var listener in turn.Listeners)
            {
                listener.OnCancelRequested(task.TaskId, task.OwnerEpoch);
            }
        }

        foreach (var task in reached)
        {
            if (task.IsWaiting)
            {
                (felled ??= []).Add(task);
            }
        }

        return new CancelReached([.. reached.Select(static task => task.TaskId)]);
    }

    /// <summary>
    /// Ends what a cancel reached while it waited for a host. Its partitions could not be locked while the forest was, but from the
    /// request on no host gets it, and nothing is added below it.
    /// </summary>
    private void EndFelled(List<TaskRecord> felled, DateTimeOffset at)
    {
        foreach (var task in felled.OrderBy(static task => task.Cursor, CursorOrder))
        {
            var (owner, agent) = PartitionsOf(task);
            using var locks = new PartitionLocks(owner, agent);
            using var turn = _feed.TakeTurn();
            if (task.IsWaiting)
            {
                EndCancelled(task, at, turn);
            }
        }
    }

    private void EndCancelled(TaskRecord task, DateTimeOffset at, ChangeFeed.Turn turn) =>
        End(task, new FinishTask(task.TaskId, TaskState.Cancelled), at, turn);

    private (IEnumerable<TaskRecord> Tasks, Stump? Stump) RootsOf(RequestCancel cancel)
    {
        switch (cancel.Scope)
        {
            // One that came up after the locks were taken has nothing that was acknowledged before the cancel.
            case CancelScope.Thread when _partitions.TryGetValue(cancel.Key, out var partition) && Monitor.IsEntered(partition):
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
