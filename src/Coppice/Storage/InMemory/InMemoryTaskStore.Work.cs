namespace Coppice;

/// <content>Work: claiming it, handing it back, and what its attempts keep.</content>
public sealed partial class InMemoryTaskStore
{
    private CommitResult Claim(MutationBatch batch, ClaimWork claim)
    {
        if (!_hosts.IsOpen(batch.Host))
        {
            return Fenced();
        }

        var taken = _board.Take(claim, Milliseconds(batch));
        using var locks = new PartitionLocks(PartitionsOf(taken));
        using var turn = _feed.TakeTurn();
        if (!_hosts.IsOpen(batch.Host))
        {
            PutBack(batch, taken, turn);
            return Fenced();
        }

        // Under the forest's lock no cancel comes between the look whether there was one and the claim.
        using var forest = taken.IsEmpty ? default : _forest.Enter();
        var expired = taken.Expired.FindAll(IsStillFree);
        var claimed = taken.Claimed.FindAll(each => IsStillFree(each.Item));
        var result = new CommitResult(CommitStatus.Landed, turn.Revision, new WorkClaimed(
            [.. claimed.Select(static each => new ClaimedWork(each.Item.Task.ToClaimed(), each.Claim, each.Item.StepCount, each.Item.Checkpoint))],
            Time(taken.NextLook),
            taken.UnknownKinds,
            expired.Count));
        batch.MarkLanded(result);
        foreach (var item in expired)
        {
            End(item.Task, new FinishTask(item.Task.TaskId, TaskState.Failed) { Error = WorkRules.DeadlineError }, batch.Time, turn);
        }

        foreach (var (item, number) in claimed)
        {
            Begin(batch, claim, item.Task, number, turn);
        }

        if (claimed.Count < taken.Claimed.Count)
        {
            foreach (var (item, _) in taken.Claimed.Except(claimed))
            {
                Release(item, turn);
            }
        }

        return result;
    }

    private HashSet<ThreadPartition> PartitionsOf(TakenWork taken)
    {
        var partitions = new HashSet<ThreadPartition>();
        foreach (var (item, _) in taken.Claimed)
        {
            Add(item);
        }

        taken.Expired.ForEach(Add);
        return partitions;

        void Add(WorkItem item)
        {
            var (owner, agent) = PartitionsOf(item.Task);
            partitions.Add(owner!);
            if (agent is not null)
            {
                partitions.Add(agent);
            }
        }
    }

    /// <summary>Whether what was taken off the board is not ended by a cancel, or about to be by one that has marked it already.</summary>
    private static bool IsStillFree(WorkItem item) => item.Task is { IsLive: true, IsCancelRequested: false };

    private void Begin(MutationBatch batch, ClaimWork claim, TaskRecord task, long number, ChangeFeed.Turn turn)
    {
        task.Claim(number, batch.Host.Epoch);
        task.Owner.SetWaiting(task, false);
        if (task.Agent is { } seat)
        {
            Partition(seat.ThreadId).WaitingAgents--;
            seat.Reader = claim.AgentReader;
            Open(batch, new OpenMailbox(seat.ThreadId, seat.Reader), turn);
        }

        turn.TellChange(TaskChangeKind.Moved, task);
    }

    private void PutBack(MutationBatch batch, TakenWork taken, ChangeFeed.Turn turn)
    {
        foreach (var item in taken.Claimed.Select(static each => each.Item).Concat(taken.Expired).Where(IsStillFree))
        {
            _board.PutBack(item, Milliseconds(batch));
            TellOffer(item, turn);
        }
    }

    /// <summary>Gives up what was counted for a claim that did not come about. Others may have been turned away for it, so they are told.</summary>
    private void Release(WorkItem item, ChangeFeed.Turn turn)
    {
        if (_board.Remove(item))
        {
            TellWork(turn, item.Kind, null);
        }
    }

    private MoveRefused? CheckAttempt(MutationBatch batch, string taskId, long claim, bool mayNeedInput) =>
        FindOwned(batch, taskId, claim) switch
        {
            { Work: not null, State: TaskState.Running } => null,
            { Work: not null, State: TaskState.InputRequired } when mayNeedInput => null,
            { Work: not null } task => new MoveRefused(task.State),
            _ => new MoveRefused(null),
        };

    private WorkHandedBack HandBack(MutationBatch batch, HandBackWork back, ChangeFeed.Turn turn)
    {
        var task = _directory.Find(back.TaskId)!;
        PostNew(task, back.FirstEvent, back.Events, turn);
        NoteCancel(task, back.CancelledBy, batch.Time, turn);
        if (!task.TryHandBack(back))
        {
            EndCancelled(task, batch.Time, turn);
            return new WorkHandedBack(TaskState.Cancelled);
        }

        Requeue(task, batch.Time, turn);
        return new WorkHandedBack(TaskState.Pending);
    }

    private StepStored Store(StoreStep step)
    {
        _directory.Find(step.TaskId)!.Keep(step.Step);
        return StepStored.Instance;
    }

    private StepStored Store(StoreCheckpoint checkpoint)
    {
        _directory.Find(checkpoint.TaskId)!.Keep(checkpoint.Value);
        return StepStored.Instance;
    }

    /// <summary>Makes a task wait on the board again that is pending again. Its partitions are locked.</summary>
    private void Requeue(TaskRecord task, DateTimeOffset at, ChangeFeed.Turn turn)
    {
        task.Owner.SetWaiting(task, true);
        if (task.Agent is { } seat)
        {
            var partition = Partition(seat.ThreadId);
            partition.WaitingAgents++;
            if (partition.Mail.HasReader && partition.Mail.Reader == seat.Reader)
            {
                CloseMail(partition, turn);
            }

            seat.Reader = Guid.Empty;

            // Another attempt will read what comes.
            seat.IsClosed = false;
        }

        turn.TellChange(TaskChangeKind.Moved, task);
        Offer(task.Work!, at, turn);
    }

    private void Offer(WorkItem item, DateTimeOffset at, ChangeFeed.Turn turn)
    {
        var hasMadeRoom = _board.Add(item, at.ToUnixTimeMilliseconds());
        if (hasMadeRoom)
        {
            TellWork(turn, item.Kind, null);
        }

        TellOffer(item, turn);
    }

    private static void TellOffer(WorkItem item, ChangeFeed.Turn turn)
    {
        TellWork(turn, item.Kind, item.DueMs);
        if (item.DeadlineMs is not null)
        {
            TellWork(turn, item.Kind, item.DeadlineMs);
        }
    }

    private static void TellWork(ChangeFeed.Turn turn, string kind, long? ms)
    {
        foreach (var listener in turn.Listeners)
        {
            listener.OnWork(kind, Time(ms));
        }
    }
}
