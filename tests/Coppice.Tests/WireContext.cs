using System.Text.Json;
using System.Text.Json.Serialization;

namespace Coppice.Tests;

/// <summary>What a program that generates its contracts writes.</summary>
[JsonSerializable(typeof(Report))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(object))]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(TaskSnapshot))]
[JsonSerializable(typeof(IReadOnlyList<TaskSnapshot>))]
[JsonSerializable(typeof(TaskLineage))]
[JsonSerializable(typeof(TaskState))]
[JsonSerializable(typeof(NotifyPolicy))]
[JsonSerializable(typeof(InboxItem))]
[JsonSerializable(typeof(MailEvent))]
[JsonSerializable(typeof(TaskEvent))]
[JsonSerializable(typeof(TaskCompleted))]
[JsonSerializable(typeof(TaskFailed))]
[JsonSerializable(typeof(TaskCancelled))]
[JsonSerializable(typeof(CustomTaskEvent))]
[JsonSerializable(typeof(ThreadMessage))]
[JsonSerializable(typeof(LiveInput))]
internal sealed partial class WireContext : JsonSerializerContext;

/// <summary>A result as a user's task would return it.</summary>
internal sealed record Report(int PageCount, string FirstTitle);
