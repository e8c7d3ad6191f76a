using System.Text.Json;

namespace Coppice;

/// <summary>
/// What a task of a registered kind has more than another. What its attempts change is guarded by the record's lock, its claim and whether it
/// waits also by the owner's partition, and its place by the board.
/// </summary>
internal sealed class WorkItem
{
    private const long Never = long.MinValue;

    private readonly JsonElement _input;
    private OrderedDictionary<(string Name, string Key), TaskStep>? _steps;
    private long _dueMs;

    internal WorkItem(TaskRecord task, NewWork work, long number)
    {
        Task = task;
        Number = number;
        Kind = work.Kind;
        Version = work.Version;
        _input = work.Input;
        Recovery = work.Recovery;
        MaxCrashes = work.MaxCrashes;
        Priority = work.Priority;
        Key = work.IdempotencyKey;
        DeadlineMs = work.Deadline?.ToUnixTimeMilliseconds();
        DueMs = work.DueAt?.ToUnixTimeMilliseconds();
        IsWaiting = true;
    }

    /// <summary>The work of a task out of a snapshot, which is always an ended one: data, of which nothing hangs on the board.</summary>
    internal WorkItem(TaskRecord task, TaskWork ended)
    {
        Task = task;
        Kind = ended.Kind;
        Version = ended.Version;
        _input = ended.Input;
        Recovery = ended.Recovery;
        Priority = ended.Priority;
        Key = ended.IdempotencyKey;
        DeadlineMs = ended.Deadline?.ToUnixTimeMilliseconds();
        DueMs = null;
        Attempt = ended.Attempt;
        Failures = ended.Failures;
        Crashes = ended.Crashes;
        LastError = ended.LastError;
    }

    internal TaskRecord Task { get; }

    /// <summary>Gets the number of the task's id, by which those of one time are told apart.</summary>
    internal long Number { get; }

    internal string Kind { get; }

    internal int Version { get; }

    internal RecoveryPolicy Recovery { get; }

    internal int MaxCrashes { get; }

    internal int Priority { get; }

    internal string? Key { get; }

    internal long? DeadlineMs { get; }

    /// <summary>Gets or sets until when it waits, which is none once it is ready; guarded by the board while it has a place there.</summary>
    internal long? DueMs
    {
        get => Volatile.Read(ref _dueMs) is var ms && ms == Never ? null : ms;
        set => Volatile.Write(ref _dueMs, value ?? Never);
    }

    /// <summary>Gets the claim of the attempt that runs or ran last; 0 while it waits for one.</summary>
    internal long Claim { get; private set; }

    internal int Attempt { get; private set; }

    internal int Failures { get; private set; }

    internal int Crashes { get; private set; }

    internal string? LastError { get; private set; }

    internal JsonElement? Checkpoint { get; set; }

    internal int StepCount => _steps?.Count ?? 0;

    /// <summary>Gets or sets whether it is among the tasks of its owner that no host has; guarded by the owner's partition.</summary>
    internal bool IsWaiting { get; set; }

    /// <summary>Gets or sets its place; guarded by the board, as are the next two.</summary>
    internal WorkPlace Place { get; set; }

    internal long Rank { get; set; }

    internal WorkLane? Lane { get; set; }

    internal void Begin(long claim)
    {
        Claim = claim;
        Attempt++;
        DueMs = null;
    }

    internal void HandBack(HandBackWork back)
    {
        Claim = 0;
        DueMs = back.DueAt?.ToUnixTimeMilliseconds();
        if (back.Error is null)
        {
            Attempt--;
        }
        else
        {
            Failures++;
            LastError = back.Error;
        }
    }

    /// <summary>Counts an attempt whose process is gone, and tells whether it was the last.</summary>
    internal bool Crash() => ++Crashes >= MaxCrashes;

    internal void Recover() => Claim = 0;

    /// <summary>Keeps a step, unless there is one of its name and key.</summary>
    internal void Keep(TaskStep step) => (_steps ??= []).TryAdd((step.Name, step.Key), step);

    internal List<TaskStep> Steps(int from, int limit)
    {
        var steps = new List<TaskStep>();
        for (var place = from; place < StepCount && steps.Count < limit; place++)
        {
            steps.Add(_steps!.GetAt(place).Value);
        }

        return steps;
    }

    /// <summary>Forgets what only a further attempt would need.</summary>
    internal void End()
    {
        _steps = null;
        Checkpoint = null;
    }

    internal TaskWork ToWork(bool isPending, int attempt) => new()
    {
        Kind = Kind,
        Version = Version,
        Input = _input,
        Recovery = Recovery,
        Priority = Priority,
        Attempt = attempt,
        Failures = Failures,
        Crashes = Crashes,
        DueAt = isPending ? Time(DueMs) : null,
        Deadline = Time(DeadlineMs),
        IdempotencyKey = Key,
        LastError = LastError,
    };

    private static DateTimeOffset? Time(long? milliseconds) =>
        milliseconds is { } ms ? DateTimeOffset.FromUnixTimeMilliseconds(ms) : null;
}

/// <summary>Where work stands on the board.</summary>
internal enum WorkPlace
{
    /// <summary>Not there: it is being added, expires, or has ended.</summary>
    None,

    /// <summary>It waits until it is due.</summary>
    Delayed,

    /// <summary>It can be claimed.</summary>
    Ready,

    /// <summary>It runs, or is about to: it counts for the limits.</summary>
    Taken,
}
