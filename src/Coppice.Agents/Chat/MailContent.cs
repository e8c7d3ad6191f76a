using System.Diagnostics.CodeAnalysis;
using System.Text;
using Microsoft.Extensions.AI;

namespace Coppice.Agents;

/// <summary>
/// How mail stands in a conversation that the application keeps: as data of a media type of ours and not as text, so that it does not count as
/// something that was said, survives being stored as JSON, and becomes text only on its way to the model.
/// </summary>
internal static class MailContent
{
    internal const string MediaType = "application/vnd.coppice.mail";

    /// <summary>The key among the additional properties that marks a message, and its content, as not for people.</summary>
    internal const string InternalKey = "internal";

    internal static ChatMessage Create(string text) => Internal(new DataContent(Encoding.UTF8.GetBytes(text), MediaType));

    /// <summary>A message of role user that is not for people. The content says so too: of a stream only contents are kept.</summary>
    internal static ChatMessage Internal(AIContent content)
    {
        (content.AdditionalProperties ??= [])[InternalKey] = true;
        return new ChatMessage(ChatRole.User, [content]) { AdditionalProperties = new() { [InternalKey] = true } };
    }

    /// <summary>What goes to the model: each piece of mail as text.</summary>
    internal static IEnumerable<ChatMessage> ForModel(IEnumerable<ChatMessage> messages) => messages.Select(ForModel);

    private static ChatMessage ForModel(ChatMessage message)
    {
        if (!message.Contents.Any(content => TryRead(content, out _)))
        {
            return message;
        }

        var copy = message.Clone();
        copy.Contents = [.. message.Contents.Select(content => TryRead(content, out var text) ? new TextContent(text) : content)];
        return copy;
    }

    private static bool TryRead(AIContent content, [NotNullWhen(true)] out string? text)
    {
        text = content is DataContent { MediaType: MediaType } data ? Encoding.UTF8.GetString(data.Data.Span) : null;
        return text is not null;
    }
}
