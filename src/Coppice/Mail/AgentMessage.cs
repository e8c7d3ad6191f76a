using System.Text.Json;

namespace Coppice;

/// <summary>The form of a message in an agent task's inbox: a custom event of type <c>agent_message</c> with <c>{from, content}</c>.</summary>
public static class AgentMessage
{
    /// <summary>The event type. Tasks cannot emit it, so a message in an inbox was sent as one.</summary>
    public const string EventType = "agent_message";

    /// <summary>Makes the event that carries a message.</summary>
    /// <param name="taskId">The agent task that it is sent to.</param>
    /// <param name="fromAgentId">The sender's agent.</param>
    /// <param name="content">The text.</param>
    /// <exception cref="ArgumentNullException">An argument is <see langword="null"/>.</exception>
    public static CustomTaskEvent Create(string taskId, string fromAgentId, string content)
    {
        ArgumentNullException.ThrowIfNull(taskId);
        ArgumentNullException.ThrowIfNull(fromAgentId);
        ArgumentNullException.ThrowIfNull(content);

        using var buffer = new MemoryStream(content.Length + 64);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("from", fromAgentId);
            writer.WriteString("content", content);
            writer.WriteEndObject();
        }

        return new CustomTaskEvent(taskId, EventType, JsonElement.Parse(buffer.GetBuffer().AsSpan(0, (int)buffer.Length)));
    }

    /// <summary>Reads sender and text out of a message.</summary>
    /// <param name="mail">Any event of an inbox.</param>
    /// <param name="fromAgentId">The sender's agent, or an empty string.</param>
    /// <param name="content">The text, or an empty string.</param>
    /// <returns>Whether the event is a message to an agent task.</returns>
    public static bool TryRead(MailEvent? mail, out string fromAgentId, out string content)
    {
        fromAgentId = content = "";
        if (mail is not CustomTaskEvent { EventType: EventType, Payload: { ValueKind: JsonValueKind.Object } payload })
        {
            return false;
        }

        fromAgentId = Text(payload, "from");
        content = Text(payload, "content");
        return true;
    }

    private static string Text(JsonElement payload, string name)
    {
        try
        {
            return payload.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
        }
        catch (InvalidOperationException)
        {
            // A lone surrogate escape such as "\ud800" passes the grammar but is no text.
            return "";
        }
    }
}
