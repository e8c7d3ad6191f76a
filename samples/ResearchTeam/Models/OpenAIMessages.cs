using System.Text.Json;
using Microsoft.Extensions.AI;
using Wire = OpenAI.Chat;

namespace Coppice.Samples.ResearchTeam;

/// <summary>A conversation as the protocol has it.</summary>
internal static class OpenAIMessages
{
    internal static List<Wire.ChatMessage> From(IEnumerable<ChatMessage> messages, ChatOptions? options)
    {
        var written = new List<Wire.ChatMessage>();
        if (!string.IsNullOrEmpty(options?.Instructions))
        {
            written.Add(new Wire.SystemChatMessage(options.Instructions));
        }

        foreach (var message in messages)
        {
            written.AddRange(From(message));
        }

        return written;
    }

    private static IEnumerable<Wire.ChatMessage> From(ChatMessage message) => message.Role.Value switch
    {
        "system" => [new Wire.SystemChatMessage(message.Text)],
        "assistant" => Assistant(message),
        "tool" => message.Contents.OfType<FunctionResultContent>().Select(result => new Wire.ToolChatMessage(result.CallId, ResultText(result))),
        _ => User(message),
    };

    private static IEnumerable<Wire.ChatMessage> User(ChatMessage message)
    {
        List<Wire.ChatMessageContentPart> parts = [.. message.Contents.Select(Part).OfType<Wire.ChatMessageContentPart>()];
        return parts.Count == 0 ? [] : [new Wire.UserChatMessage(parts)];
    }

    private static IEnumerable<Wire.ChatMessage> Assistant(ChatMessage message)
    {
        List<Wire.ChatToolCall> calls = [.. message.Contents.OfType<FunctionCallContent>().Select(Call)];
        if (calls.Count == 0 && message.Text.Length == 0)
        {
            // Thoughts alone, for example: the protocol has no place for them.
            return [];
        }

        if (calls.Count == 0)
        {
            return [new Wire.AssistantChatMessage(message.Text)];
        }

        var written = new Wire.AssistantChatMessage(calls);
        if (message.Text.Length > 0)
        {
            written.Content.Add(Wire.ChatMessageContentPart.CreateTextPart(message.Text));
        }

        return [written];
    }

    private static Wire.ChatMessageContentPart? Part(AIContent content) => content switch
    {
        TextContent text => Wire.ChatMessageContentPart.CreateTextPart(text.Text),
        UriContent image when image.HasTopLevelMediaType("image") => Wire.ChatMessageContentPart.CreateImagePart(image.Uri),
        DataContent image when image.HasTopLevelMediaType("image") =>
            Wire.ChatMessageContentPart.CreateImagePart(BinaryData.FromBytes(image.Data), image.MediaType),
        DataContent or UriContent => throw new NotSupportedException(
            $"A user's message holds {content.GetType().Name} that is no image; this adapter sends text and images."),

        // What services say about a message, and thoughts, are not part of it.
        _ => null,
    };

    private static Wire.ChatToolCall Call(FunctionCallContent call) => Wire.ChatToolCall.CreateFunctionToolCall(
        call.CallId, call.Name,
        BinaryData.FromString(JsonSerializer.Serialize(call.Arguments ?? new Dictionary<string, object?>(), AIJsonUtilities.DefaultOptions)));

    private static string ResultText(FunctionResultContent result) => result.Result switch
    {
        null => "",
        string text => text,
        JsonElement { ValueKind: JsonValueKind.String } text => text.GetString()!,
        TextContent text => text.Text,
        var other => JsonSerializer.Serialize(other, AIJsonUtilities.DefaultOptions.GetTypeInfo(other.GetType())),
    };
}
