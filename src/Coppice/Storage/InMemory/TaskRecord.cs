namespace Coppice;

/// <summary>One task. What can change is guarded by a lock on the record itself, the innermost of all locks.</summary>
internal sealed class TaskRecord
{
    private const long Never = long.MinValue;

    private readonly long _createdMs;
    private long _completedMs = Never;
    private CancelRequest? _cancel;
    private object? _end;
    private volatile TaskState _state;
    private readonly byte _notify;

    internal TaskRecord(string taskId, ThreadPartition owner, AddTask task, long ownerEpoch, DateTimeOffset createdAt)
    {
        TaskId = taskId;
        Owner = owner;
        OwnerEpoch = ownerEpoch;
        Type = task.Type;
        Name = task.Name;
        Description = task.Description;
        Lineage = task.Lineage;
        Agent = task.AgentThreadId is null ? null : new AgentSeat(task.AgentThreadId, task.AgentReader, task.Continues);
        _notify = (byte)task.Notify;
        _createdMs = createdAt.ToUnixTimeMilliseconds();
        _state = task.State;
    }

    /// <summary>A task out of a snapshot, which is always an ended one.</summary>
    internal TaskRecord(ThreadPartition owner, TaskSnapshot ended)
    {
        TaskId = ended.TaskId;
        Owner = owner;
        Type = ended.Type;
        Name = ended.Name;
        Description = ended.Description;
        Lineage = ended.Lineage;
        Agent = ended.AgentThreadId is null ? null : new AgentSeat(ended.AgentThreadId, Guid.Empty, ended.Continues) { IsClosed = true };
        _notify = (byte)ended.Notify;
        _createdMs = ended.CreatedAt.ToUnixTimeMilliseconds();
        _state = ended.State;
        _end = TaskEnd.Of(ended.Error, ended.Result);
        _completedMs = ended.CompletedAt?.ToUnixTimeMilliseconds() ?? Never;
        _cancel = ended is { CancelRequestedAt: null, CancelledBy: null } ? null : new CancelRequest(ended.CancelledBy, ended.CancelRequestedAt);
    }

    internal string TaskId { get; }

    internal ThreadPartition Owner { get; }

    internal long OwnerEpoch { get; }

    internal string Type { get; }

    internal string? Name { get; }

    internal string Description { get; }

    internal TaskLineage Lineage { get; }

    internal AgentSeat? Agent { get; }

    internal TaskState State => _state;

    internal bool IsLive => !_state.IsTerminal();

    internal DateTimeOffset CreatedAt => DateTimeOffset.FromUnixTimeMilliseconds(_createdMs);

    internal DateTimeOffset? CompletedAt => Time(Volatile.Read(ref _completedMs));

    internal bool IsCancelRequested => Volatile.Read(ref _cancel) is { At: not null };

    /// <summary>Gets or sets how many of the task's emitted events are stored; guarded by the owner's partition.</summary>
    internal int StoredEvents { get; set; }

    /// <summary>Gets whether a child was ever linked below; guarded by the record's lock.</summary>
    internal bool HasHadChildren { get; private set; }

    /// <summary>Gets or sets the task's place among the live ones of its owner's partition, which guards it; -1 once it has ended.</summary>
    internal int LiveIndex { get; set; } = -1;

    /// <summary>Gets or sets its place in the forest, which guards it.</summary>
    internal TaskNode? Node { get; set; }

    internal TaskCursor Cursor => new(CreatedAt, TaskId);

    /// <summary>Notes that a child hangs below from now on, and tells whether the task is still live.</summary>
    internal bool NoteChild()
    {
        lock (this)
        {
            HasHadChildren = true;
            return IsLive;
        }
    }

    /// <summary>Requests the cancellation. The first request stays.</summary>
    /// <returns>Whether the task is live; <paramref name="first"/> tells whether this is its first request.</returns>
    internal bool RequestCancel(string by, DateTimeOffset at, out bool first)
    {
        lock (this)
        {
            first = IsLive && !IsCancelRequested;
            if (first)
            {
                Volatile.Write(ref _cancel, new CancelRequest(by, at));
            }

            return IsLive;
        }
    }

    internal void MoveTo(TaskState state)
    {
        lock (this)
        {
            _state = state;
        }
    }

    /// <summary>Ends the task. Tells whether the forest has to hear of it.</summary>
    internal bool End(FinishTask finish, DateTimeOffset at)
    {
        lock (this)
        {
            _end = TaskEnd.Of(finish.Error, finish.Result);
            Volatile.Write(ref _completedMs, at.ToUnixTimeMilliseconds());
            _state = finish.State;
            return HasHadChildren || LineageForest.Concerns(Lineage);
        }
    }

    /// <summary>What the owner's mailbox says of the end.</summary>
    internal TaskEvent ToTerminalEvent() => _state switch
    {
        TaskState.Completed => new TaskCompleted(TaskId, TaskEnd.ResultOf(_end)),
        TaskState.Failed => new TaskFailed(TaskId, TaskEnd.ErrorOf(_end) ?? ""),
        _ => new TaskCancelled(TaskId),
    };

    internal TaskSnapshot ToSnapshot()
    {
        lock (this)
        {
            return new TaskSnapshot
            {
                TaskId = TaskId,
                OwnerThreadId = Owner.ThreadId,
                Type = Type,
                Name = Name,
                Description = Description,
                State = _state,
                Error = TaskEnd.ErrorOf(_end),
                Result = TaskEnd.ResultOf(_end),
                CreatedAt = CreatedAt,
                CompletedAt = Time(_completedMs),
                CancelRequestedAt = _cancel?.At,
                CancelledBy = _cancel?.By,
                Notify = (NotifyPolicy)_notify,
                AgentThreadId = Agent?.ThreadId,
                Continues = Agent?.Continues,
                Lineage = Lineage,
            };
        }
    }

    private static DateTimeOffset? Time(long milliseconds) =>
        milliseconds == Never ? null : DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);
}
