using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Coppice.Samples.ResearchTeam;

/// <summary>Tells what a model is told of its tasks, what it says, and which functions it calls.</summary>
internal sealed class NarratedChatClient(IChatClient model, Narration narration) : DelegatingChatClient(model)
{
    private static readonly JsonSerializerOptions Compact = new(AIJsonUtilities.DefaultOptions) { WriteIndented = false };

    private readonly HashSet<string> _told = new(StringComparer.Ordinal);

    public override async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var sent = messages.ToList();
        TellMail(sent);
        var response = await base.GetResponseAsync(sent, options, cancellationToken);
        TellAnswer(response);
        return response;
    }

    public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var sent = messages.ToList();
        TellMail(sent);
        var updates = new List<ChatResponseUpdate>();
        await foreach (var update in base.GetStreamingResponseAsync(sent, options, cancellationToken))
        {
            updates.Add(update);
            yield return update;
        }

        TellAnswer(updates.ToChatResponse());
    }

    private void TellMail(IEnumerable<ChatMessage> messages)
    {
        foreach (var mail in ToldMail.In(messages).Where(mail => _told.Add(mail.Json)))
        {
            narration.Tell(Team.Coordinator, $"is told: {mail.TaskId} {mail.Kind}");
        }
    }

    private void TellAnswer(ChatResponse response)
    {
        foreach (var content in response.Messages.SelectMany(message => message.Contents))
        {
            switch (content)
            {
                case TextContent { Text: { Length: > 0 } text }:
                    narration.Tell(Team.Coordinator, $"says: {text}");
                    break;
                case FunctionCallContent call:
                    narration.Tell(Team.Coordinator, $"calls {call.Name} {Text(call.Arguments)}");
                    break;
            }
        }
    }

    private static string Text(IDictionary<string, object?>? arguments) =>
        string.Join(", ", (arguments ?? new Dictionary<string, object?>()).Select(each => $"{each.Key}: {Text(each.Value)}"));

    private static string Text(object? value) => value switch
    {
        string text => text,
        JsonElement { ValueKind: JsonValueKind.String } text => text.GetString()!,
        _ => JsonSerializer.Serialize(value, Compact),
    };
}
