using System.Text.Json;
using System.Text.Json.Serialization;

namespace Coppice;

/// <summary>An event that a task emitted, or a message to an agent task (<see cref="AgentMessage"/>).</summary>
/// <param name="TaskId">The task.</param>
/// <param name="EventType">The emitter's word for it, such as <c>progress</c>.</param>
/// <param name="Payload">Any JSON.</param>
[JsonConverter(typeof(MailEventJsonConverter<CustomTaskEvent>))]
public sealed record CustomTaskEvent(string TaskId, string EventType, JsonElement Payload) : TaskEvent(TaskId)
{
    /// <summary>Whether both say the same; payloads are compared as JSON values.</summary>
    /// <param name="other">The other event.</param>
    public bool Equals(CustomTaskEvent? other) =>
        other is not null && TaskId == other.TaskId && EventType == other.EventType && JsonValue.Same(Payload, other.Payload);

    /// <summary>A hash of the task and the event type.</summary>
    public override int GetHashCode() => HashCode.Combine(TaskId, EventType);
}
