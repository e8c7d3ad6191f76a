using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.AI;

namespace Coppice.Agents;

/// <summary>
/// A sub-agent's conversation as it is kept: first who it is, then its messages, one entry each. What is read back can always be sent to a model.
/// </summary>
internal static class AgentConversation
{
    private const string AgentKey = "agent";

    private static readonly JsonSerializerOptions Compact = new(AIJsonUtilities.DefaultOptions) { WriteIndented = false };

    private static JsonTypeInfo<ChatMessage> MessageInfo => (JsonTypeInfo<ChatMessage>)Compact.GetTypeInfo(typeof(ChatMessage));

    internal static JsonElement Head(string agentName)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString(AgentKey, agentName);
            writer.WriteEndObject();
        }

        return JsonElement.Parse(buffer.GetBuffer().AsSpan(0, (int)buffer.Length));
    }

    internal static string? AgentOf(JsonElement entry) =>
        entry.ValueKind == JsonValueKind.Object && entry.TryGetProperty(AgentKey, out var name) && name.ValueKind == JsonValueKind.String
            ? name.GetString()
            : null;

    internal static JsonElement Write(ChatMessage message, int maxBytes)
    {
        var whole = TryWrite(message) ?? TryWrite(Plain(message)) ?? JsonSerializer.SerializeToElement(
            new ChatMessage(message.Role, message.Text) { MessageId = message.MessageId }, MessageInfo);
        var text = whole.GetRawText();
        return text.Length * 3L <= maxBytes || Encoding.UTF8.GetByteCount(text) <= maxBytes
            ? whole
            : JsonSerializer.SerializeToElement(Shortened(Plain(message), maxBytes), MessageInfo);
    }

    /// <summary>The messages of a conversation as they were said. Results that were kept one by one stand together, as they are sent to a model.</summary>
    internal static async ValueTask<(List<ChatMessage> Messages, int Entries)> ReadAsync(
        BackgroundTaskManager manager, string threadId, CancellationToken cancellationToken)
    {
        var messages = new List<ChatMessage>();
        var entries = 0;
        await foreach (var entry in manager.ReadConversationAsync(threadId, cancellationToken).ConfigureAwait(false))
        {
            if (entries++ == 0 || entry.Deserialize(MessageInfo) is not { } message)
            {
                continue;
            }

            if (message.Role == ChatRole.Tool && messages is [.., { Role: var last } before] && last == ChatRole.Tool)
            {
                before.Contents = [.. before.Contents, .. message.Contents];
            }
            else
            {
                messages.Add(message);
            }
        }

        return (messages, entries);
    }

    /// <summary>The messages with an answer to each call that was cut off before it had one, right after it, where models expect it.</summary>
    internal static List<ChatMessage> WithoutOpenCalls(IReadOnlyList<ChatMessage> messages)
    {
        var open = FunctionCalls.Unanswered(messages).ToHashSet(ReferenceEqualityComparer.Instance);
        var whole = new List<ChatMessage>(messages.Count + 1);
        for (var i = 0; i < messages.Count; i++)
        {
            whole.Add(messages[i]);
            FunctionResultContent[] missing =
                [.. messages[i].Contents.OfType<FunctionCallContent>().Where(open.Contains).Select(FunctionCalls.Interrupted)];
            if (missing.Length == 0)
            {
                continue;
            }

            var results = i + 1 < messages.Count && messages[i + 1].Role == ChatRole.Tool ? messages[++i].Contents : [];
            whole.Add(new ChatMessage(ChatRole.Tool, [.. results, .. missing]));
        }

        return whole;
    }

    private static JsonElement? TryWrite(ChatMessage message)
    {
        try
        {
            return JsonSerializer.SerializeToElement(message, MessageInfo);
        }
        catch (Exception)
        {
            // A content, a result or a property of a type that only the application can write, if at all.
            return null;
        }
    }

    /// <summary>The message with what everybody can write: contents of unknown types are named, results are their text.</summary>
    private static ChatMessage Plain(ChatMessage message)
    {
        var copy = message.Clone();
        copy.AdditionalProperties = null;
        copy.Contents = [.. message.Contents.Select(Plain)];
        return copy;
    }

    private static AIContent Plain(AIContent content) => content switch
    {
        TextContent text => new TextContent(text.Text),
        FunctionCallContent call when TryWrite(new ChatMessage(ChatRole.Assistant, [call])) is null => new FunctionCallContent(call.CallId, call.Name),
        FunctionCallContent or DataContent or UriContent => content,
        FunctionResultContent result => new FunctionResultContent(result.CallId, ResultText(result.Result)),
        _ when TryWrite(new ChatMessage(ChatRole.Assistant, [content])) is not null => content,
        _ => new TextContent($"[{content.GetType().Name}]"),
    };

    /// <summary>The message with the beginning of what makes it too long.</summary>
    private static ChatMessage Shortened(ChatMessage message, int maxBytes)
    {
        // A character is at most six bytes in JSON ("\u0000"), and there is something around it.
        var share = maxBytes / 8 / Math.Max(1, message.Contents.Count);
        var copy = message.Clone();
        copy.Contents = [.. message.Contents.Select(content => Shortened(content, share))];
        return copy;
    }

    private static AIContent Shortened(AIContent content, int maxCharacters) => content switch
    {
        TextContent text => new TextContent(Shortened(text.Text, maxCharacters)),
        FunctionResultContent result => new FunctionResultContent(result.CallId, Shortened(ResultText(result.Result), maxCharacters)),
        FunctionCallContent call => call,
        _ => new TextContent($"[{content.GetType().Name}, too large to be kept]"),
    };

    private static string ResultText(object? result) => result switch
    {
        null => "",
        JsonElement { ValueKind: JsonValueKind.String } element => element.GetString()!,
        JsonElement element => element.GetRawText(),
        _ => result.ToString() ?? "",
    };

    private static string Shortened(string text, int maxCharacters) =>
        text.Length <= maxCharacters ? text : $"{SafeText.Cut(text, maxCharacters)} [cut short: {text.Length} characters in all]";
}
