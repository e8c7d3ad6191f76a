using System.Runtime.InteropServices;
using System.Text.Json;

namespace Coppice.Agents;

/// <summary>Writes a task as the wire has it, for a model: without what says nothing, without its result, with its ages.</summary>
internal static class TaskRendering
{
    /// <summary>How much of a description or an error stands in a list. They may have many kilobytes, and a list many tasks.</summary>
    internal const int ListedTextChars = 1_000;

    /// <summary>Writes the properties of a task.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="task">The task.</param>
    /// <param name="now">The time that ages are counted to.</param>
    /// <param name="hasError">Whether the error is written, cut to what stands in a list.</param>
    internal static void Write(Utf8JsonWriter writer, TaskSnapshot task, DateTimeOffset now, bool hasError = true)
    {
        writer.WriteString("task_id", task.TaskId);
        writer.WriteString("owner_thread_id", task.OwnerThreadId);
        writer.WriteString("task_type", task.Type);
        WriteOptional(writer, "kind", task.Work?.Kind);
        WriteOptional(writer, "name", task.Name);
        writer.WriteString("description", SafeText.Cut(task.Description, ListedTextChars));
        writer.WriteString("status", task.State.ToWireName());
        WriteOptional(writer, "pending_reason", task.PendingReason is { } reason ? JsonNamingPolicy.SnakeCaseLower.ConvertName(reason.ToString()) : null);
        WriteOptional(writer, "due_at_ms", task.Work?.DueAt);
        if (hasError && task.Error is { } error)
        {
            writer.WriteString("error", SafeText.Cut(error, ListedTextChars));
        }

        if (task.Result is { } result)
        {
            writer.WriteNumber("result_bytes", JsonMarshal.GetRawUtf8Value(result).Length);
        }

        writer.WriteNumber("created_at_ms", task.CreatedAt.ToUnixTimeMilliseconds());
        WriteOptional(writer, "completed_at_ms", task.CompletedAt);
        WriteOptional(writer, "cancel_requested_at_ms", task.CancelRequestedAt);
        WriteOptional(writer, "cancelled_by", task.CancelledBy);
        if (!task.Lineage.IsEmpty)
        {
            writer.WriteStartObject("parent_context");
            WriteOptional(writer, "task_id", task.Lineage.TaskId);
            WriteOptional(writer, "run_id", task.Lineage.RunId);
            WriteOptional(writer, "call_id", task.Lineage.CallId);
            WriteOptional(writer, "agent_id", task.Lineage.AgentId);
            writer.WriteEndObject();
        }

        writer.WriteNumber("age_ms", Between(task.CreatedAt, now));
        writer.WriteNumber("elapsed_ms", Between(task.CreatedAt, task.CompletedAt ?? now));
    }

    /// <summary>Another host's clock may be ahead, and no age is negative.</summary>
    private static long Between(DateTimeOffset from, DateTimeOffset to) => Math.Max(0, (long)(to - from).TotalMilliseconds);

    private static void WriteOptional(Utf8JsonWriter writer, string name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
        {
            writer.WriteString(name, value);
        }
    }

    private static void WriteOptional(Utf8JsonWriter writer, string name, DateTimeOffset? value)
    {
        if (value is { } time)
        {
            writer.WriteNumber(name, time.ToUnixTimeMilliseconds());
        }
    }
}
