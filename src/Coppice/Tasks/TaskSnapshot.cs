using System.Text.Json;
using System.Text.Json.Serialization;

namespace Coppice;

/// <summary>One task as it is stored, at one moment. It is also the export format; its JSON is that of the wire.</summary>
/// <remarks>Two snapshots are equal when all they say is equal; results are compared as JSON values.</remarks>
[JsonConverter(typeof(TaskSnapshotJsonConverter))]
public sealed record TaskSnapshot
{
    /// <summary>Gets the id: <c>bg_</c> and a number, except for tasks restored from elsewhere.</summary>
    public string TaskId { get; init; } = "";

    /// <summary>Gets the thread that owns the task and is told how it ends.</summary>
    public string OwnerThreadId { get; init; } = "";

    /// <summary>Gets the type: <c>task</c> by default, <c>sub_agent</c> for agents.</summary>
    public string Type { get; init; } = TaskTypes.Task;

    /// <summary>Gets the name, unique among the live tasks of its thread, or <see langword="null"/>.</summary>
    public string? Name { get; init; }

    /// <summary>Gets the description; empty by default.</summary>
    public string Description { get; init; } = "";

    /// <summary>Gets the state.</summary>
    public TaskState State { get; init; }

    /// <summary>Gets the error; only a failed task has one.</summary>
    public string? Error { get; init; }

    /// <summary>Gets the result; JSON <c>null</c> is a result, no result is <see langword="null"/>.</summary>
    public JsonElement? Result { get; init; }

    /// <summary>Gets when the task was spawned, in UTC, to the millisecond.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>Gets when the task ended, in UTC, to the millisecond; <see langword="null"/> while it is live.</summary>
    public DateTimeOffset? CompletedAt { get; init; }

    /// <summary>Gets when its cancellation was first requested, in UTC, to the millisecond.</summary>
    public DateTimeOffset? CancelRequestedAt { get; init; }

    /// <summary>Gets who first requested it: <c>user</c>, <c>tree:&lt;root&gt;</c>, <c>thread</c> or <c>run:&lt;id&gt;</c>.</summary>
    public string? CancelledBy { get; init; }

    /// <summary>Gets what the loop of an agent tells its model of the task. It changes nothing about mail.</summary>
    public NotifyPolicy Notify { get; init; }

    /// <summary>Gets the agent's own thread, also once it has ended; <see langword="null"/> unless this is an agent task.</summary>
    public string? AgentThreadId { get; init; }

    /// <summary>Gets the ended agent task whose thread this agent took on, or <see langword="null"/>.</summary>
    public string? Continues { get; init; }

    /// <summary>Gets the work of a task of a registered kind; <see langword="null"/> for every other.</summary>
    public TaskWork? Work { get; init; }

    /// <summary>
    /// Gets why a task of a registered kind is pending, where the snapshot was read from a manager; a store does not know what its hosts know.
    /// <see langword="null"/> for every other task.
    /// </summary>
    public PendingReason? PendingReason { get; init; }

    /// <summary>Gets where the task was spawned from.</summary>
    public TaskLineage Lineage { get; init; } = TaskLineage.None;

    /// <summary>Whether both say the same.</summary>
    /// <param name="other">The other snapshot.</param>
    public bool Equals(TaskSnapshot? other) =>
        other is not null
        && TaskId == other.TaskId
        && OwnerThreadId == other.OwnerThreadId
        && Type == other.Type
        && Name == other.Name
        && Description == other.Description
        && State == other.State
        && Error == other.Error
        && JsonValue.Same(Result, other.Result)
        && CreatedAt == other.CreatedAt
        && CompletedAt == other.CompletedAt
        && CancelRequestedAt == other.CancelRequestedAt
        && CancelledBy == other.CancelledBy
        && Notify == other.Notify
        && AgentThreadId == other.AgentThreadId
        && Continues == other.Continues
        && Work == other.Work
        && PendingReason == other.PendingReason
        && Lineage == other.Lineage;

    /// <summary>A hash of what identifies the task and its state.</summary>
    public override int GetHashCode() => HashCode.Combine(TaskId, OwnerThreadId, State, CreatedAt, CompletedAt);
}
