using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Coppice.Agents;

/// <summary>What a user wrote while a run was at work, as the messages it is. Whatever role it claims, it speaks as a user.</summary>
internal static class LiveInputMessages
{
    internal static IEnumerable<ChatMessage> Of(LiveInput input) =>
        input.Messages.ValueKind == JsonValueKind.Array ? input.Messages.EnumerateArray().Select(Message) : [];

    private static ChatMessage Message(JsonElement message) => new(
        ChatRole.User, message.ValueKind == JsonValueKind.Object && message.TryGetProperty("content", out var content) ? Text(content) : message.GetRawText());

    private static string Text(JsonElement content) => content.ValueKind switch
    {
        JsonValueKind.String => content.GetString()!,
        JsonValueKind.Array => string.Concat(content.EnumerateArray().Select(Part)),
        _ => content.GetRawText(),
    };

    private static string Part(JsonElement part) =>
        part.ValueKind == JsonValueKind.Object && part.TryGetProperty("text", out var text) && text.ValueKind == JsonValueKind.String
            ? text.GetString()!
            : part.GetRawText();
}
