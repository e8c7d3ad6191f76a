using System.Text.Json.Serialization;

namespace Coppice.WithoutReflection;

[JsonSerializable(typeof(TaskSnapshot))]
[JsonSerializable(typeof(TaskLineage))]
[JsonSerializable(typeof(TaskState))]
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
