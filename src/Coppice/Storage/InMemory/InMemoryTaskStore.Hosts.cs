namespace Coppice;

/// <content>Hosts: joining, leaving, and settling what a dead one left.</content>
public sealed partial class InMemoryTaskStore
{
    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<HostStatus>> HeartbeatAsync(HostFence fence, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return ValueTask.FromResult(_hosts.Beat(fence));
    }

    private CommitResult Join(MutationBatch batch, JoinHost join)
    {
        var fence = _hosts.Join(join.HostId);
        var orphans = new List<string>();
        foreach (var left in _hosts.TakeLeft())
        {
            orphans.AddRange(SettleTasks(left, batch.Time));
        }

        return Landed(batch, new HostJoined(fence, orphans));
    }

    private CommitResult Settle(MutationBatch batch, SettleHost settle)
    {
        if (!_hosts.IsOpen(batch.Host))
        {
            return Fenced();
        }

        _hosts.Close(settle.Fence);
        return Landed(batch, new HostSettled(_hosts.TryTake(settle.Fence) ? SettleTasks(settle.Fence, batch.Time) : []));
    }

    private CommitResult Leave(MutationBatch batch)
    {
        if (!_hosts.IsOpen(batch.Host))
        {
            return Fenced();
        }

        _hosts.Close(batch.Host);
        CloseMailboxesOf(batch.Host);
        ReleaseClaims(batch.Host, batch.Time);
        if (!HasLiveTasks(batch.Host))
        {
            _hosts.TryTake(batch.Host);
        }

        TellFenced(batch.Host);
        return Landed(batch, HostLeft.Instance);
    }

    /// <summary>Ends what a host left running. Its fence is closed, so under a partition's lock it can add no more there.</summary>
    private List<string> SettleTasks(HostFence fence, DateTimeOffset at)
    {
        var orphans = new List<string>();
        foreach (var partition in _partitions.Values)
        {
            List<TaskRecord> live;
            lock (partition)
            {
                live = partition.Live();
            }

            foreach (var task in live.Where(task => task.OwnerEpoch == fence.Epoch).OrderBy(task => task.Cursor, CursorOrder))
            {
                if (Orphan(task, at))
                {
                    orphans.Add(task.TaskId);
                }
            }
        }

        CloseMailboxesOf(fence);
        ReleaseClaims(fence, at);
        TellFenced(fence);
        return orphans;
    }

    private bool HasLiveTasks(HostFence fence)
    {
        foreach (var partition in _partitions.Values)
        {
            lock (partition)
            {
                if (partition.Live().Any(task => task.OwnerEpoch == fence.Epoch))
                {
                    return true;
                }
            }
        }

        return false;
    }

    private bool Orphan(TaskRecord task, DateTimeOffset at)
    {
        using var locks = new PartitionLocks(task.Owner, task.Agent is null ? null : Partition(task.Agent.ThreadId));
        if (!task.IsLive)
        {
            return false;
        }

        using var turn = _feed.TakeTurn();
        End(task, new FinishTask(task.TaskId, TaskState.Failed) { Error = Orphans.Error }, at, turn);
        return true;
    }

    private void CloseMailboxesOf(HostFence fence)
    {
        foreach (var partition in _partitions.Values)
        {
            lock (partition)
            {
                if (partition.Mail.HasReader && partition.Mail.ReaderHost == fence)
                {
                    using var turn = _feed.TakeTurn();
                    CloseMail(partition.ThreadId, partition.Mail, turn);
                }
            }
        }
    }

    private void TellFenced(HostFence fence)
    {
        using var turn = _feed.TakeTurn();
        foreach (var listener in turn.Listeners)
        {
            listener.OnHostFenced(fence);
        }
    }

    private CommitResult Landed(MutationBatch batch, MutationAnswer answer)
    {
        using var turn = _feed.TakeTurn();
        var result = new CommitResult(CommitStatus.Landed, turn.Revision, answer);
        batch.MarkLanded(result);
        return result;
    }
}
