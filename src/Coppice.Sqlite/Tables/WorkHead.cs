namespace Coppice.Sqlite;

/// <summary>What the writer decides by of a task's work: all but its long texts.</summary>
internal readonly record struct WorkHead(
    long Number, long Lane, int Version, RecoveryPolicy Recovery, int MaxCrashes, int Priority, DateTimeOffset? Deadline)
{
    public long Kind => LanePlace.KindOf(Lane);

    public int Attempt { get; init; }

    public int Failures { get; init; }

    public int Crashes { get; init; }

    /// <summary>Gets the number of the last claim that has not given the task back; 0 when there is none.</summary>
    public long Claim { get; init; }

    /// <summary>Gets the place among the ready tasks of its lane, when it is one.</summary>
    public long? Rank { get; init; }

    /// <summary>Gets when it will be ready, while it waits for that.</summary>
    public DateTimeOffset? DueAt { get; init; }

    public bool HasSteps { get; init; }

    public bool HasCheckpoint { get; init; }

    public bool IsPending => Rank is not null || DueAt is not null;
}
