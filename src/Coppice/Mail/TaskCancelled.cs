using System.Text.Json.Serialization;

namespace Coppice;

/// <summary>A task ended because it was cancelled.</summary>
/// <param name="TaskId">The task.</param>
[JsonConverter(typeof(MailEventJsonConverter<TaskCancelled>))]
public sealed record TaskCancelled(string TaskId) : TaskEvent(TaskId);
