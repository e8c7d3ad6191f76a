using System.Text.Json;

namespace Coppice;

/// <summary>Work was claimed.</summary>
/// <param name="Tasks">The tasks, in the order in which they were claimed.</param>
/// <param name="NextLook">
/// When the next pending task is due or expires, or a kind that was stopped may run again; the batch's own time when more is due than one claim
/// looks after; <see langword="null"/> when there is none.
/// </param>
/// <param name="UnknownKinds">The kinds of ready tasks that were not asked for.</param>
/// <param name="Expired">How many tasks failed because their deadline had come.</param>
public sealed record WorkClaimed(
    IReadOnlyList<ClaimedWork> Tasks, DateTimeOffset? NextLook, IReadOnlyList<string> UnknownKinds, int Expired) : MutationAnswer;

/// <summary>A task that was claimed.</summary>
/// <param name="Task">The task, running.</param>
/// <param name="Claim">The number of the claim; every write of the attempt carries it.</param>
/// <param name="Steps">How many steps are stored.</param>
/// <param name="Checkpoint">The checkpoint, or <see langword="null"/>.</param>
public sealed record ClaimedWork(TaskSnapshot Task, long Claim, int Steps, JsonElement? Checkpoint);

/// <summary>A task was handed back.</summary>
/// <param name="State">Pending, or cancelled where its cancellation had been requested.</param>
public sealed record WorkHandedBack(TaskState State) : MutationAnswer;

/// <summary>A step or a checkpoint is stored.</summary>
public sealed record StepStored : MutationAnswer
{
    /// <summary>Gets the one instance.</summary>
    public static StepStored Instance { get; } = new();
}
