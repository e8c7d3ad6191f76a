namespace Coppice.Rows;

/// <summary>What the writer decides by of a task's work: all but its long texts.</summary>
internal readonly record struct WorkHead(
    long Number, long Kind, long Lane, int Version, RecoveryPolicy Recovery, int MaxCrashes, int Priority, DateTimeOffset? Deadline)
{
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

    /// <summary>The head of the work of a new task, which is neither ready nor waits yet.</summary>
    public static WorkHead Of(long number, long kind, long lane, NewWork work) => new(
        number, kind, lane, work.Version, work.Recovery, work.MaxCrashes, work.Priority, Storable(work.Deadline));

    /// <summary>A time as it is stored, which is to the millisecond.</summary>
    public static DateTimeOffset? Storable(DateTimeOffset? time) =>
        time is { } some ? DateTimeOffset.FromUnixTimeMilliseconds(some.ToUnixTimeMilliseconds()) : null;
}
