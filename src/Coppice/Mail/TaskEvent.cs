using System.Text.Json.Serialization;

namespace Coppice;

/// <summary>An event of a task.</summary>
/// <param name="TaskId">The task.</param>
[JsonConverter(typeof(MailEventJsonConverter<TaskEvent>))]
public abstract record TaskEvent(string TaskId) : MailEvent
{
    /// <summary>Gets whether it says how the task ended. There is exactly one such event for each ended task.</summary>
    [JsonIgnore]
    public bool IsTerminal => this is TaskCompleted or TaskFailed or TaskCancelled;
}
