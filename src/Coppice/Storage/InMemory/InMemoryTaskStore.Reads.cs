namespace Coppice;

/// <content>Reads.</content>
public sealed partial class InMemoryTaskStore
{
    private static readonly IComparer<TaskCursor> CursorOrder = Comparer<TaskCursor>.Create(TaskCursor.Compare);

    /// <inheritdoc/>
    public ValueTask<TaskSnapshot?> GetAsync(string taskId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(taskId);
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return ValueTask.FromResult(_directory.Find(taskId)?.ToSnapshot());
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<TaskSnapshot>> ListAsync(
        TaskQuery query, TaskCursor? after, int limit, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ObjectDisposedException.ThrowIf(_isDisposed, this);

        var found = new List<TaskSnapshot>();
        foreach (var task in Candidates(query, after))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var snapshot = task.ToSnapshot();
            if (query.Matches(snapshot))
            {
                found.Add(snapshot);
                if (found.Count == limit)
                {
                    break;
                }
            }
        }

        return ValueTask.FromResult<IReadOnlyList<TaskSnapshot>>(found);
    }

    /// <inheritdoc/>
    public ValueTask<bool> HasLiveAsync(string ownerThreadId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(ownerThreadId);
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return ValueTask.FromResult(_partitions.TryGetValue(ownerThreadId, out var partition) && partition.HasLive);
    }

    /// <inheritdoc/>
    public ValueTask<string?> FindLiveChildAsync(TaskLineage parent, string nameOrTaskId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(parent);
        ArgumentNullException.ThrowIfNull(nameOrTaskId);
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return ValueTask.FromResult(_forest.FindLiveChild(parent, nameOrTaskId));
    }

    /// <inheritdoc/>
    public ValueTask<MailPage> ReadMailAsync(
        string threadId, Guid reader, long afterSequence, int limit, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(threadId);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (!_partitions.TryGetValue(threadId, out var partition))
        {
            return ValueTask.FromResult(new MailPage(false, []));
        }

        lock (partition)
        {
            return ValueTask.FromResult(IsReader(threadId, reader)
                ? new MailPage(true, partition.Mail.Read(afterSequence, limit))
                : new MailPage(false, []));
        }
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<TaskStep>> ReadStepsAsync(string taskId, int from, int limit, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(taskId);
        ArgumentOutOfRangeException.ThrowIfNegative(from);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return ValueTask.FromResult<IReadOnlyList<TaskStep>>(_directory.Find(taskId)?.Steps(from, limit) ?? []);
    }

    /// <inheritdoc/>
    public ValueTask<int> CountUnreadEventsAsync(string threadId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(threadId);
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return ValueTask.FromResult(InPartition(threadId, static partition => partition.Mail.UnreadEvents, 0));
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<string>> ListThreadsWithUnreadMailAsync(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return ValueTask.FromResult<IReadOnlyList<string>>([.. _partitions.Keys.Where(
            threadId => InPartition(threadId, static partition => !partition.IsAttended && partition.Mail.HasUnreadToWakeFor, false))]);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<DeadLetter>> ListDeadLettersAsync(string threadId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(threadId);
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return ValueTask.FromResult(DeadLetters(threadId));
    }

    private T InPartition<T>(string threadId, Func<ThreadPartition, T> read, T nothing)
    {
        if (!_partitions.TryGetValue(threadId, out var partition))
        {
            return nothing;
        }

        lock (partition)
        {
            return read(partition);
        }
    }

    /// <summary>The tasks that a query may mean, in the order of lists.</summary>
    private IEnumerable<TaskRecord> Candidates(TaskQuery query, TaskCursor? after)
    {
        if (query.AsksOnlyLive)
        {
            return InOrder(LiveOf(query.OwnerThreadId, query.States!.Contains(TaskState.Pending)), after);
        }

        if (query.OwnerThreadId is null)
        {
            return InOrder(_directory.All, after);
        }

        if (!_partitions.TryGetValue(query.OwnerThreadId, out var partition))
        {
            return [];
        }

        lock (partition)
        {
            var tasks = partition.InOrder();
            var start = after is null ? 0 : FirstAfter(tasks, after.Value);
            return [.. tasks.Skip(start)];
        }
    }

    /// <summary>The live tasks of a thread, or of all threads that have any; perhaps without those that wait for a host, of which there may be many.</summary>
    private IEnumerable<TaskRecord> LiveOf(string? threadId, bool alsoWaiting)
    {
        if (threadId is null)
        {
            return _partitions.Values.Where(static partition => partition.HasLive).SelectMany(Locked);
        }

        return _partitions.TryGetValue(threadId, out var partition) && partition.HasLive ? Locked(partition) : [];

        List<TaskRecord> Locked(ThreadPartition partition)
        {
            lock (partition)
            {
                return alsoWaiting ? partition.Live() : partition.Owned();
            }
        }
    }

    private static IEnumerable<TaskRecord> InOrder(IEnumerable<TaskRecord> tasks, TaskCursor? after) => tasks
        .Where(task => after is null || TaskCursor.Compare(task.Cursor, after.Value) > 0)
        .OrderBy(task => task.Cursor, CursorOrder);

    private static int FirstAfter(IReadOnlyList<TaskRecord> tasks, TaskCursor after)
    {
        int low = 0, high = tasks.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (TaskCursor.Compare(tasks[middle].Cursor, after) > 0)
            {
                high = middle;
            }
            else
            {
                low = middle + 1;
            }
        }

        return low;
    }
}
