using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Coppice;

/// <summary>Mail as JSON text, as it is on the wire and in a store.</summary>
public static class MailEventJson
{
    /// <summary>Writes one event as compact JSON.</summary>
    /// <param name="mail">The event.</param>
    /// <exception cref="ArgumentNullException"><paramref name="mail"/> is <see langword="null"/>.</exception>
    public static string Serialize(MailEvent mail)
    {
        ArgumentNullException.ThrowIfNull(mail);
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            Write(writer, mail);
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>Reads one event. A kind that is not known reads as a custom event, so that a mailbox never jams.</summary>
    /// <param name="json">The JSON text of one object.</param>
    /// <exception cref="ArgumentNullException"><paramref name="json"/> is <see langword="null"/>.</exception>
    /// <exception cref="JsonException"><paramref name="json"/> is not a JSON object.</exception>
    public static MailEvent Deserialize(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 256 });
            return Read(document.RootElement);
        }
        catch (ArgumentException e)
        {
            throw new JsonException("The JSON holds a lone surrogate, which is not valid Unicode.", e);
        }
    }

    internal static MailEvent Read(ref Utf8JsonReader reader)
    {
        using var document = JsonDocument.ParseValue(ref reader);
        return Read(document.RootElement);
    }

    internal static void Write(Utf8JsonWriter writer, MailEvent mail)
    {
        writer.WriteStartObject();
        switch (mail)
        {
            case TaskCompleted completed:
                WriteHead(writer, "completed", completed);
                if (completed.Result is { } result)
                {
                    writer.WriteAsText("result", result);
                }

                break;
            case TaskFailed failed:
                WriteHead(writer, "failed", failed);
                writer.WriteString("error", failed.Error);
                break;
            case TaskCancelled cancelled:
                WriteHead(writer, "cancelled", cancelled);
                break;
            case CustomTaskEvent custom:
                WriteHead(writer, "custom", custom);
                writer.WriteString("event_type", custom.EventType);
                writer.WriteAsText("payload", custom.Payload);
                break;
            case ThreadMessage message:
                writer.WriteString("kind", "message");
                writer.WriteString("message_id", message.MessageId);
                writer.WriteString("from_thread_id", message.FromThreadId);
                writer.WriteString("from_agent_id", message.FromAgentId);
                writer.WriteString("content", message.Content);
                if (message.ToAgentId is { } toAgentId)
                {
                    writer.WriteString("to_agent_id", toAgentId);
                }

                if (message.ExpiresAt is { } expiresAt)
                {
                    writer.WriteNumber("expires_at_ms", expiresAt.ToUnixTimeMilliseconds());
                }

                break;
            case LiveInput input:
                writer.WriteString("kind", "messages");
                writer.WriteAsText("messages", input.Messages);
                break;
            default:
                throw new JsonException($"There is no wire form for {mail.GetType().Name}.");
        }

        writer.WriteEndObject();
    }

    private static void WriteHead(Utf8JsonWriter writer, string kind, TaskEvent mail)
    {
        writer.WriteString("kind", kind);
        writer.WriteString("task_id", mail.TaskId);
    }

    private static MailEvent Read(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            throw new JsonException("An event has to be a JSON object.");
        }

        try
        {
            var taskId = Text(json, "task_id");
            return Text(json, "kind") switch
            {
                "completed" => new TaskCompleted(taskId, Value(json, "result")),
                "failed" => new TaskFailed(taskId, Text(json, "error")),
                "cancelled" => new TaskCancelled(taskId),
                "custom" => new CustomTaskEvent(taskId, Text(json, "event_type"), Value(json, "payload") ?? Null()),
                "message" => new ThreadMessage(
                    Text(json, "message_id"), Text(json, "from_thread_id"), Text(json, "from_agent_id"), Text(json, "content"))
                {
                    ToAgentId = Text(json, "to_agent_id") is { Length: > 0 } toAgentId ? toAgentId : null,
                    ExpiresAt = Time(json, "expires_at_ms"),
                },
                "messages" => new LiveInput(Value(json, "messages") ?? JsonValue.Parse("[]")),
                var unknown => new CustomTaskEvent(taskId, unknown, json.Clone()),
            };
        }
        catch (InvalidOperationException e)
        {
            throw new JsonException("An event has a field whose name is not valid Unicode.", e);
        }
    }

    private static string Text(JsonElement json, string name)
    {
        if (!json.TryGetProperty(name, out var value) || value.ValueKind != JsonValueKind.String)
        {
            return "";
        }

        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            // A lone surrogate escape such as "\ud800" passes the grammar but is no text.
            throw new JsonException($"'{name}' of an event holds text that is not valid Unicode.", e);
        }
    }

    /// <summary>A time; what cannot be one is none, so that a mailbox never jams.</summary>
    private static DateTimeOffset? Time(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var milliseconds)
        && milliseconds >= DateTimeOffset.MinValue.ToUnixTimeMilliseconds() && milliseconds <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()
            ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds)
            : null;

    private static JsonElement? Value(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) ? value.Clone() : null;

    private static JsonElement Null() => JsonValue.Parse("null");
}
