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
        var settled = new Settled();
        foreach (var left in _hosts.TakeLeft())
        {
            SettleTasks(left, batch.Time, settled);
        }

        return Landed(batch, new HostJoined(fence, settled.Orphans) { Recovered = settled.Recovered });
    }

    private CommitResult Settle(MutationBatch batch, SettleHost settle)
    {
        if (!_hosts.IsOpen(batch.Host))
        {
            return Fenced();
        }

        _hosts.Close(settle.Fence);
        var settled = new Settled();
        if (_hosts.TryTake(settle.Fence))
        {
            SettleTasks(settle.Fence, batch.Time, settled);
        }

        return Landed(batch, new HostSettled(settled.Orphans) { Recovered = settled.Recovered });
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

    /// <summary>
    /// Ends what a host left running, or makes it wait for another. Its fence is closed, so under a partition's lock it can add no more there.
    /// </summary>
    private void SettleTasks(HostFence fence, DateTimeOffset at, Settled settled)
    {
        var left = _partitions.Values.SelectMany(partition => OwnedBy(fence, partition)).OrderBy(static task => task.Cursor, CursorOrder).ToList();

        // Before the first of them can be claimed again.
        foreach (var kind in left.Select(static task => task.Work?.Kind).OfType<string>().Distinct(StringComparer.Ordinal))
        {
            _board.NoteCrash(kind, at.ToUnixTimeMilliseconds());
        }

        foreach (var task in left)
        {
            SettleTask(task, fence, at, settled);
        }

        CloseMailboxesOf(fence);
        ReleaseClaims(fence, at);
        TellFenced(fence);
    }

    private static List<TaskRecord> OwnedBy(HostFence fence, ThreadPartition partition)
    {
        lock (partition)
        {
            return [.. partition.Owned().Where(task => task.OwnerEpoch == fence.Epoch)];
        }
    }

    private bool HasLiveTasks(HostFence fence)
    {
        foreach (var partition in _partitions.Values)
        {
            lock (partition)
            {
                if (partition.Owned().Any(task => task.OwnerEpoch == fence.Epoch))
                {
                    return true;
                }
            }
        }

        return false;
    }

    private void SettleTask(TaskRecord task, HostFence fence, DateTimeOffset at, Settled settled)
    {
        var (owner, agent) = PartitionsOf(task);
        using var locks = new PartitionLocks(owner, agent);
        if (!task.IsLive || task.OwnerEpoch != fence.Epoch)
        {
            return;
        }

        using var turn = _feed.TakeTurn();
        if (task.Settle() is { } end)
        {
            End(task, end, at, turn);
            settled.Orphans.Add(task.TaskId);
        }
        else
        {
            Requeue(task, at, turn);
            settled.Recovered.Add(task.TaskId);
        }
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
                    CloseMail(partition, turn);
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

    private sealed class Settled
    {
        internal List<string> Orphans { get; } = [];

        internal List<string> Recovered { get; } = [];
    }
}
