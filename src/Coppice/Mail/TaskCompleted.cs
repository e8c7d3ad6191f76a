using System.Text.Json;
using System.Text.Json.Serialization;

namespace Coppice;

/// <summary>A task ended with success.</summary>
/// <param name="TaskId">The task.</param>
/// <param name="Result">Its result; <see langword="null"/> when there is none. JSON <c>null</c> is a result.</param>
[JsonConverter(typeof(MailEventJsonConverter<TaskCompleted>))]
public sealed record TaskCompleted(string TaskId, JsonElement? Result) : TaskEvent(TaskId)
{
    /// <summary>Whether both say the same; results are compared as JSON values.</summary>
    /// <param name="other">The other event.</param>
    public bool Equals(TaskCompleted? other) =>
        other is not null && TaskId == other.TaskId && JsonValue.Same(Result, other.Result);

    /// <summary>A hash of the task.</summary>
    public override int GetHashCode() => HashCode.Combine(nameof(TaskCompleted), TaskId);
}
