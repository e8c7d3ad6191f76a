using System.Text.Json;

namespace Coppice;

/// <summary>The work of a task of a registered kind that is being added; the task starts <c>pending</c>, owned by no host.</summary>
public sealed record NewWork
{
    /// <summary>Gets the name of the kind.</summary>
    public required string Kind { get; init; }

    /// <summary>Gets the version of the kind that the input was written for, from 1.</summary>
    public int Version { get; init; } = 1;

    /// <summary>Gets the input. Its raw text is strict JSON, and is what a store keeps.</summary>
    public required JsonElement Input { get; init; }

    /// <summary>Gets what becomes of the task when an attempt ends with its process.</summary>
    public RecoveryPolicy Recovery { get; init; }

    /// <summary>Gets how many attempts may end with their process; with the last of them the task fails. From 1.</summary>
    public int MaxCrashes { get; init; } = int.MaxValue;

    /// <summary>Gets the priority; a higher one goes first.</summary>
    public int Priority { get; init; }

    /// <summary>Gets when it may begin; <see langword="null"/> for at once.</summary>
    public DateTimeOffset? DueAt { get; init; }

    /// <summary>Gets when it fails if it has not ended.</summary>
    public DateTimeOffset? Deadline { get; init; }

    /// <summary>
    /// Gets the key under which its thread finds it again. While a task of the thread is stored that has it, live or ended, that one is
    /// the answer and nothing is added; one of another kind refuses it (<see cref="SpawnError.IdempotencyKeyReused"/>).
    /// </summary>
    public string? IdempotencyKey { get; init; }
}

/// <summary>What a host that claims work knows of a kind, and how much of it may run at once on all hosts together.</summary>
/// <param name="Kind">The name of the kind.</param>
public sealed record KindClaim(string Kind)
{
    /// <summary>Gets the newest version of the input that the host knows.</summary>
    public int MaxVersion { get; init; } = 1;

    /// <summary>Gets how many of its tasks may run at once. From 1.</summary>
    public int MaxRunning { get; init; } = int.MaxValue;

    /// <summary>Gets how many of its tasks may run at once for one thread. From 1.</summary>
    public int MaxRunningPerThread { get; init; } = int.MaxValue;

    /// <summary>Gets how many processes may end under attempts of the kind within <see cref="CrashWindow"/>; from then on none is claimed until it is fewer. From 1.</summary>
    public int MaxCrashes { get; init; } = int.MaxValue;

    /// <summary>Gets for how long the end of a process counts.</summary>
    public TimeSpan CrashWindow { get; init; } = TimeSpan.FromMinutes(10);
}

/// <summary>
/// Takes work: moves pending tasks that may begin to <c>running</c>, as the batch's host's. Answered by <see cref="WorkClaimed"/>. Needs a
/// batch of its own.
/// </summary>
/// <remarks>
/// <para>
/// First every pending task whose deadline has come fails with <see cref="WorkRules.DeadlineError"/>, and every one that is due becomes
/// ready, in the order of their times, then of their numbers, at most <see cref="WorkRules.MaxExpired"/> and
/// <see cref="WorkRules.MaxPromoted"/> of them. Then tasks are claimed one by one, until <paramref name="Limit"/>.
/// </para>
/// <para>
/// A lane is the ready tasks of one kind in one thread. A lane gets its turn, a number that grows, when it gets its first ready task and
/// whenever one of its tasks was claimed. The next task comes from the lane with the highest priority among its ready tasks, of whatever
/// version, then the lowest turn; within a lane the highest priority goes first, then who was ready first. Of every
/// <see cref="WorkRules.AgeTurn"/> claims of a store the last goes by turn and readiness alone, so that nothing waits for ever behind what is
/// more important. Kinds that are not asked for or have reached their limits, lanes that have reached theirs, and tasks of a newer version
/// are passed over.
/// </para>
/// <para>
/// A claimed task gets the next claim number of the store, by which every later write of this attempt is known; its count of stored
/// events begins anew; an agent's mailbox is opened for <see cref="AgentReader"/>.
/// </para>
/// </remarks>
/// <param name="Kinds">The kinds that the host knows, each once.</param>
/// <param name="Limit">How many tasks at the most, from 0: with 0 only what is due and what has expired is looked after.</param>
public sealed record ClaimWork(IReadOnlyList<KindClaim> Kinds, int Limit) : Mutation
{
    /// <summary>Gets the reader that the mailboxes of claimed agents are opened for.</summary>
    public Guid AgentReader { get; init; }
}

/// <summary>
/// Gives a running task back: it is <c>pending</c> again, at the end of its lane, and its attempt can store nothing more; an agent takes messages
/// again, also where the attempt had closed its inbox. One whose cancellation was requested ends as cancelled instead. Answered by <see cref="WorkHandedBack"/> or <see cref="MoveRefused"/>.
/// </summary>
/// <param name="TaskId">The task; it has to belong to the batch's host.</param>
/// <param name="Claim">The attempt that gives it back.</param>
public sealed record HandBackWork(string TaskId, long Claim) : Mutation
{
    /// <summary>Gets when it may begin again; <see langword="null"/> for at once.</summary>
    public DateTimeOffset? DueAt { get; init; }

    /// <summary>Gets why the attempt failed, which counts as a failure; <see langword="null"/> when it did not fail, and then it does not count as an attempt.</summary>
    public string? Error { get; init; }

    /// <summary>Gets the place of the first of <see cref="Events"/> among all that the attempt emitted, counting from 0.</summary>
    public int FirstEvent { get; init; }

    /// <summary>Gets the events that were not stored before.</summary>
    public IReadOnlyList<CustomTaskEvent> Events { get; init; } = [];

    /// <summary>Gets who requested the cancellation when the store could not be told at the time, else <see langword="null"/>.</summary>
    public string? CancelledBy { get; init; }
}

/// <summary>Keeps a step of a running task. One that is stored already stays as it is. Answered by <see cref="StepStored"/> or <see cref="MoveRefused"/>.</summary>
/// <param name="TaskId">The task; it has to belong to the batch's host.</param>
/// <param name="Claim">The attempt.</param>
/// <param name="Step">The step. The raw text of its result is strict JSON, and is what a store keeps.</param>
public sealed record StoreStep(string TaskId, long Claim, TaskStep Step) : Mutation;

/// <summary>Keeps the checkpoint of a running task in place of the one before. Answered by <see cref="StepStored"/> or <see cref="MoveRefused"/>.</summary>
/// <param name="TaskId">The task; it has to belong to the batch's host.</param>
/// <param name="Claim">The attempt.</param>
/// <param name="Value">The checkpoint, whose raw text is strict JSON; <see langword="null"/> takes it away.</param>
public sealed record StoreCheckpoint(string TaskId, long Claim, JsonElement? Value) : Mutation;
