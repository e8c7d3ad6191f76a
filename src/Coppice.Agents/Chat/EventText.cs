using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Coppice.Agents;

/// <summary>A piece of mail as the model reads it (WIRE: <c>background-task-event</c>), no longer than a model should be shown at once.</summary>
internal static class EventText
{
    private const string Tag = "background-task-event";

    internal static string Of(MailEvent mail, int maxCharacters)
    {
        var text = new StringBuilder();
        text.Append('<').Append(Tag).Append(" kind=\"").Append(KindOf(mail)).Append('"');
        if (mail is TaskEvent { TaskId.Length: > 0 } task)
        {
            text.Append(" task_id=\"").Append(EscapedText.Line(task.TaskId, int.MaxValue)).Append('"');
        }

        return text.Append(">\n").Append(SafeJson(Capped(mail, maxCharacters))).Append("\n</").Append(Tag).Append('>').ToString();
    }

    private static string SafeJson(string json) => Encoding.UTF8.GetString(SafeText.Json(Encoding.UTF8.GetBytes(json)));

    private static string KindOf(MailEvent mail) => mail switch
    {
        TaskCompleted => "completed",
        TaskFailed => "failed",
        TaskCancelled => "cancelled",
        ThreadMessage => "message",
        LiveInput => "messages",
        _ => "custom",
    };

    /// <summary>The event's JSON; of one that is too long its head, as text, with its size and where the rest is.</summary>
    private static string Capped(MailEvent mail, int maxCharacters)
    {
        var whole = MailEventJson.Serialize(mail);
        if (whole.Length <= maxCharacters)
        {
            return whole;
        }

        return mail switch
        {
            TaskCompleted { Result: { } result } completed =>
                Short(completed, "result_preview", result.GetRawText(), "result_characters", maxCharacters, isTask: true),
            TaskFailed failed => Short(failed, "error_preview", failed.Error, "error_characters", maxCharacters, isTask: true),
            CustomTaskEvent custom => Short(custom, "payload_preview", custom.Payload.GetRawText(), "payload_characters", maxCharacters, isTask: false),

            // A message is what somebody wrote to the model: it has a limit of its own, and there is no other place to read the rest.
            _ => whole,
        };
    }

    private static string Short(TaskEvent mail, string previewName, string full, string sizeName, int maxCharacters, bool isTask)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("kind", KindOf(mail));
            writer.WriteString("task_id", mail.TaskId);
            if (mail is CustomTaskEvent custom)
            {
                writer.WriteString("event_type", custom.EventType);
            }

            writer.WriteString(previewName, full.AsSpan(0, SafeText.EndOfWhole(full, Math.Min(full.Length, maxCharacters))));
            writer.WriteNumber(sizeName, full.Length);
            if (isTask)
            {
                writer.WriteString("more", "Cut short. The tool get_task reads the whole, page by page.");
            }

            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
