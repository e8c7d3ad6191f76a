using System.Text.Json;

namespace Coppice;

/// <summary>One task. What can change is guarded by a lock on the record itself, the innermost of all locks.</summary>
internal sealed class TaskRecord : LineageNode
{
    private const long Never = long.MinValue;

    private readonly long _createdMs;
    private string? _error;
    private JsonElement _result;
    private long _completedMs = Never;
    private long _cancelRequestedMs = Never;
    private string? _cancelledBy;
    private volatile TaskState _state;

    internal TaskRecord(string taskId, ThreadPartition owner, AddTask task, long ownerEpoch, DateTimeOffset createdAt)
    {
        TaskId = taskId;
        Owner = owner;
        OwnerEpoch = ownerEpoch;
        Type = task.Type;
        Name = task.Name;
        Description = task.Description;
        Lineage = task.Lineage;
        Agent = task.AgentThreadId is null ? null : new AgentSeat(task.AgentThreadId, task.AgentReader);
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
        _createdMs = ended.CreatedAt.ToUnixTimeMilliseconds();
        _state = ended.State;
        _error = ended.Error;
        _result = ended.Result ?? default;
        _completedMs = ended.CompletedAt?.ToUnixTimeMilliseconds() ?? Never;
        _cancelRequestedMs = ended.CancelRequestedAt?.ToUnixTimeMilliseconds() ?? Never;
        _cancelledBy = ended.CancelledBy;
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

    internal override bool IsLive => !_state.IsTerminal();

    internal DateTimeOffset CreatedAt => DateTimeOffset.FromUnixTimeMilliseconds(_createdMs);

    internal DateTimeOffset? CompletedAt => Time(Volatile.Read(ref _completedMs));

    internal bool IsCancelRequested => Volatile.Read(ref _cancelRequestedMs) != Never;

    /// <summary>Gets or sets how many of the task's emitted events are stored; guarded by the owner's partition.</summary>
    internal int StoredEvents { get; set; }

    /// <summary>Gets whether a child was ever linked below; guarded by the record's lock.</summary>
    internal bool HasHadChildren { get; private set; }

    /// <summary>The live neighbours in the owner's partition, guarded by it.</summary>
    internal TaskRecord? NextLive { get; set; }

    internal TaskRecord? PreviousLive { get; set; }

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
                _cancelledBy = by;
                Volatile.Write(ref _cancelRequestedMs, at.ToUnixTimeMilliseconds());
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
    internal bool End(TaskState state, string? error, JsonElement? result, DateTimeOffset at)
    {
        lock (this)
        {
            _error = error;
            _result = result ?? default;
            Volatile.Write(ref _completedMs, at.ToUnixTimeMilliseconds());
            _state = state;
            return HasHadChildren || LineageForest.Concerns(Lineage);
        }
    }

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
                Error = _error,
                Result = _result.ValueKind == JsonValueKind.Undefined ? null : _result,
                CreatedAt = CreatedAt,
                CompletedAt = Time(_completedMs),
                CancelRequestedAt = Time(_cancelRequestedMs),
                CancelledBy = _cancelledBy,
                Lineage = Lineage,
            };
        }
    }

    private static DateTimeOffset? Time(long milliseconds) =>
        milliseconds == Never ? null : DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);
}
