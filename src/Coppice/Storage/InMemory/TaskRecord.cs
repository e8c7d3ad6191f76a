using System.Text.Json;

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

    internal TaskRecord(long number, ThreadPartition owner, AddTask task, long ownerEpoch, DateTimeOffset createdAt)
    {
        TaskId = TaskIds.Format(number);
        Owner = owner;
        Type = task.Type;
        Name = task.Name;
        Description = task.Description;
        Lineage = task.Lineage;
        Agent = task.AgentThreadId is null ? null : new AgentSeat(task.AgentThreadId, task.Work is null ? task.AgentReader : Guid.Empty, task.Continues);
        _notify = (byte)task.Notify;
        _createdMs = createdAt.ToUnixTimeMilliseconds();
        if (task.Work is { } work)
        {
            Work = new WorkItem(this, work, number);
            _state = TaskState.Pending;
        }
        else
        {
            OwnerEpoch = ownerEpoch;
            _state = task.State;
        }
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
        Work = ended.Work is null ? null : new WorkItem(this, ended.Work);
    }

    internal string TaskId { get; }

    internal ThreadPartition Owner { get; }

    /// <summary>Gets the epoch of the host that has it; 0 while it waits for one. Changed under the partition's lock.</summary>
    internal long OwnerEpoch { get; private set; }

    internal string Type { get; }

    internal string? Name { get; }

    internal string Description { get; }

    internal TaskLineage Lineage { get; }

    internal AgentSeat? Agent { get; }

    /// <summary>Gets the work of a task of a registered kind.</summary>
    internal WorkItem? Work { get; }

    internal TaskState State => _state;

    internal bool IsLive => !_state.IsTerminal();

    /// <summary>Gets whether it waits for a host.</summary>
    internal bool IsWaiting => Work is not null && _state == TaskState.Pending;

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

    /// <summary>What the task will be once it is claimed.</summary>
    internal TaskSnapshot ToClaimed()
    {
        lock (this)
        {
            return ToSnapshot(TaskState.Running, Work!.ToWork(isPending: false, Work.Attempt + 1));
        }
    }

    internal void Claim(long claim, long ownerEpoch)
    {
        lock (this)
        {
            Work!.Begin(claim);
            OwnerEpoch = ownerEpoch;
            StoredEvents = 0;
            _state = TaskState.Running;
        }
    }

    /// <summary>Makes the task wait again. Not one whose cancellation was requested, which is decided here at once: no request is to find it waiting unheard.</summary>
    internal bool TryHandBack(HandBackWork back)
    {
        lock (this)
        {
            if (IsCancelRequested)
            {
                return false;
            }

            Work!.HandBack(back);
            OwnerEpoch = 0;
            _state = TaskState.Pending;
            return true;
        }
    }

    /// <summary>Makes the task wait again whose host is gone, or tells how it ends instead.</summary>
    internal FinishTask? Settle()
    {
        lock (this)
        {
            if (Work is null or { Recovery: RecoveryPolicy.Never })
            {
                return new FinishTask(TaskId, TaskState.Failed) { Error = Orphans.Error };
            }

            if (IsCancelRequested)
            {
                return new FinishTask(TaskId, TaskState.Cancelled);
            }

            if (Work.Crash())
            {
                return new FinishTask(TaskId, TaskState.Failed) { Error = WorkRules.CrashError(Work.Crashes) };
            }

            Work.Recover();
            OwnerEpoch = 0;
            _state = TaskState.Pending;
            return null;
        }
    }

    internal void Keep(TaskStep step)
    {
        lock (this)
        {
            Work!.Keep(step);
        }
    }

    internal void Keep(JsonElement? checkpoint)
    {
        lock (this)
        {
            Work!.Checkpoint = checkpoint;
        }
    }

    internal List<TaskStep> Steps(int from, int limit)
    {
        lock (this)
        {
            return Work?.Steps(from, limit) ?? [];
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
            Work?.End();
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
            return ToSnapshot(_state, Work?.ToWork(isPending: _state == TaskState.Pending, Work.Attempt));
        }
    }

    private TaskSnapshot ToSnapshot(TaskState state, TaskWork? work) => new()
    {
        TaskId = TaskId,
        OwnerThreadId = Owner.ThreadId,
        Type = Type,
        Name = Name,
        Description = Description,
        State = state,
        Error = TaskEnd.ErrorOf(_end),
        Result = TaskEnd.ResultOf(_end),
        CreatedAt = CreatedAt,
        CompletedAt = Time(_completedMs),
        CancelRequestedAt = _cancel?.At,
        CancelledBy = _cancel?.By,
        Notify = (NotifyPolicy)_notify,
        AgentThreadId = Agent?.ThreadId,
        Continues = Agent?.Continues,
        Work = work,
        Lineage = Lineage,
    };

    private static DateTimeOffset? Time(long milliseconds) =>
        milliseconds == Never ? null : DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);
}
