using System.Text.Json.Serialization;

namespace Coppice;

/// <summary>A task ended with an error.</summary>
/// <param name="TaskId">The task.</param>
/// <param name="Error">What went wrong.</param>
[JsonConverter(typeof(MailEventJsonConverter<TaskFailed>))]
public sealed record TaskFailed(string TaskId, string Error) : TaskEvent(TaskId);
