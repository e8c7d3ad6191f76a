namespace Coppice.Testing;

/// <summary>All that a history says of one task.</summary>
internal sealed class TaskFile(string taskId)
{
    internal string TaskId { get; } = taskId;

    /// <summary>Gets the commit that added it, unless it was restored.</summary>
    internal BatchApplied? Added { get; set; }

    internal AddTask? Add { get; set; }

    /// <summary>Gets the commit with which its own host ended it.</summary>
    internal BatchApplied? Finished { get; set; }

    internal FinishTask? Finish { get; set; }

    internal List<TaskChanged> Changes { get; } = [];

    internal List<BodyStarted> Starts { get; } = [];

    internal BodyEnded? BodyEnd { get; set; }

    internal List<EventEmitted> Emitted { get; } = [];

    internal BodySignalled? Signalled { get; set; }

    internal SpawnAcknowledged? Acknowledged { get; set; }

    /// <summary>Gets or sets whether the store forgot it.</summary>
    internal bool IsForgotten { get; set; }

    /// <summary>Gets or sets whether a snapshot brought it back after the store had forgotten it. From there on it is another task.</summary>
    internal bool CameBack { get; set; }

    /// <summary>Gets the threads that it was restored to when it came back.</summary>
    internal HashSet<string> LaterOwners { get; } = new(StringComparer.Ordinal);

    internal long Epoch => Added?.Batch.Host.Epoch ?? 0;

    internal SimulatedProcess? Host => Added?.Process;

    internal TaskChanged? Ended => Changes.Find(static change => change.Change.Kind == TaskChangeKind.Ended);

    internal bool IsRestored => Changes is [{ Change.Kind: TaskChangeKind.Restored }, ..];

    internal string? OwnerThreadId => Changes.Count > 0 ? Changes[0].Change.Task.OwnerThreadId : Add?.OwnerThreadId;
}
