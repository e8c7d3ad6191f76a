using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Coppice;

/// <summary>Writes and reads a task as the wire has it.</summary>
/// <remarks>It is public because source-generated contexts have to see it; plain <c>JsonSerializer</c> calls find it by themselves.</remarks>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class TaskSnapshotJsonConverter : JsonConverter<TaskSnapshot>
{
    private static readonly TaskLineageJsonConverter Lineage = new();

    /// <inheritdoc/>
    public override TaskSnapshot Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        WireObject.ExpectStart(ref reader, "task");
        var task = new TaskSnapshot();
        bool hasId = false, hasState = false;
        while (WireObject.NextProperty(ref reader, out var name))
        {
            switch (name)
            {
                case "task_id":
                    task = task with { TaskId = WireObject.ReadText(ref reader, name) ?? throw Missing(name) };
                    hasId = true;
                    break;
                case "status":
                    task = task with { State = ReadState(ref reader) };
                    hasState = true;
                    break;
                case "owner_thread_id": task = task with { OwnerThreadId = WireObject.ReadText(ref reader, name) ?? "" }; break;
                case "task_type": task = task with { Type = WireObject.ReadText(ref reader, name) ?? TaskTypes.Task }; break;
                case "name": task = task with { Name = WireObject.ReadText(ref reader, name) }; break;
                case "description": task = task with { Description = WireObject.ReadText(ref reader, name) ?? "" }; break;
                case "error": task = task with { Error = WireObject.ReadText(ref reader, name) }; break;
                case "result": task = task with { Result = WireObject.ReadValue(ref reader) }; break;
                case "created_at_ms": task = task with { CreatedAt = WireObject.ReadTime(ref reader, name) ?? throw Missing(name) }; break;
                case "completed_at_ms": task = task with { CompletedAt = WireObject.ReadTime(ref reader, name) }; break;
                case "cancel_requested_at_ms": task = task with { CancelRequestedAt = WireObject.ReadTime(ref reader, name) }; break;
                case "cancelled_by": task = task with { CancelledBy = WireObject.ReadText(ref reader, name) }; break;
                case "notify": task = task with { Notify = ReadNotify(ref reader) }; break;
                case "agent_thread_id": task = task with { AgentThreadId = WireObject.ReadText(ref reader, name) }; break;
                case "continues": task = task with { Continues = WireObject.ReadText(ref reader, name) }; break;
                case "pending_reason": task = task with { PendingReason = TaskWorkJson.ReadPendingReason(ref reader) }; break;
                case "work": task = task with { Work = TaskWorkJson.Read(ref reader) }; break;
                case "parent_context": task = task with { Lineage = Lineage.Read(ref reader, typeof(TaskLineage), options) }; break;
                default: reader.Skip(); break;
            }
        }

        if (!hasId || !hasState)
        {
            throw Missing(hasId ? "status" : "task_id");
        }

        // Only a failed task has an error; kept on another it would be gone once the task is written again.
        return task.State == TaskState.Failed ? task : task with { Error = null };
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, TaskSnapshot value, JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteStartObject();
        writer.WriteString("task_id", value.TaskId);
        writer.WriteString("owner_thread_id", value.OwnerThreadId);
        writer.WriteString("task_type", value.Type);
        writer.WriteOptional("name", value.Name);
        writer.WriteString("description", value.Description);
        writer.WriteString("status", value.State.ToWireName());
        if (value.State == TaskState.Failed)
        {
            writer.WriteOptional("error", value.Error);
        }

        if (value.Result is { } result)
        {
            writer.WriteAsText("result", result);
        }

        writer.WriteNumber("created_at_ms", value.CreatedAt.ToUnixTimeMilliseconds());
        writer.WriteOptional("completed_at_ms", value.CompletedAt);
        writer.WriteOptional("cancel_requested_at_ms", value.CancelRequestedAt);
        writer.WriteOptional("cancelled_by", value.CancelledBy);
        writer.WriteOptional("notify", value.Notify == NotifyPolicy.DoneOnly ? null : value.Notify.ToWireName());
        writer.WriteOptional("agent_thread_id", value.AgentThreadId);
        writer.WriteOptional("continues", value.Continues);
        writer.WriteOptional("pending_reason", value.PendingReason is { } reason ? TaskWorkJson.ToWireName(reason) : null);
        if (value.Work is { } work)
        {
            TaskWorkJson.Write(writer, work);
        }

        writer.WritePropertyName("parent_context");
        Lineage.Write(writer, value.Lineage, options);
        writer.WriteEndObject();
    }

    private static TaskState ReadState(ref Utf8JsonReader reader) =>
        TaskStateExtensions.TryParseWireName(WireObject.ReadText(ref reader, "status"), out var state)
            ? state
            : throw new JsonException("'status' is one of pending, running, input_required, completed, failed, cancelled.");

    private static NotifyPolicy ReadNotify(ref Utf8JsonReader reader) => WireObject.ReadText(ref reader, "notify") switch
    {
        null => NotifyPolicy.DoneOnly,
        var name when NotifyPolicyExtensions.TryParseWireName(name, out var policy) => policy,
        _ => throw new JsonException($"'notify' is {NotifyPolicyJsonConverter.Expected}."),
    };

    private static JsonException Missing(string name) => new($"A task needs '{name}'.");
}
