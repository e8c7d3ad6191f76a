using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
using OpenAI;

namespace Coppice.Samples.ResearchTeam;

/// <summary>
/// The chat-completions protocol behind <see cref="IChatClient"/>: messages of all roles with text and images, functions, streaming, usage, finish
/// reasons, and JSON by schema. What goes wrong is a <see cref="ModelException"/>; passing faults were tried again by the library below.
/// </summary>
internal sealed class OpenAIChatClient(OpenAIClient client, Uri endpoint, string model) : IChatClient
{
    private readonly ChatClientMetadata _metadata = new("openai", endpoint, model);

    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var sent = OpenAIMessages.From(messages, options);
        var settings = OpenAIOptions.From(options);
        try
        {
            return OpenAIAnswer.Read(await ClientFor(options).CompleteChatAsync(sent, settings, cancellationToken));
        }
        catch (Exception e) when (OpenAIErrors.IsFault(e, cancellationToken))
        {
            throw OpenAIErrors.Explain(e);
        }
    }

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var sent = OpenAIMessages.From(messages, options);
        var settings = OpenAIOptions.From(options);
        var stream = new OpenAIStream();
        await using var updates = ClientFor(options).CompleteChatStreamingAsync(sent, settings, cancellationToken)
            .GetAsyncEnumerator(cancellationToken);
        while (await MoveNextAsync(updates, cancellationToken))
        {
            yield return stream.Read(updates.Current);
        }

        yield return stream.End();
    }

    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceKey is not null ? null
        : serviceType == typeof(ChatClientMetadata) ? _metadata
        : serviceType.IsInstanceOfType(this) ? this : null;

    public void Dispose()
    {
        // The client below is its maker's.
    }

    private OpenAI.Chat.ChatClient ClientFor(ChatOptions? options) => client.GetChatClient(options?.ModelId ?? model);

    private static async ValueTask<bool> MoveNextAsync(
        IAsyncEnumerator<OpenAI.Chat.StreamingChatCompletionUpdate> updates, CancellationToken cancellationToken)
    {
        try
        {
            return await updates.MoveNextAsync();
        }
        catch (Exception e) when (OpenAIErrors.IsFault(e, cancellationToken))
        {
            throw OpenAIErrors.Explain(e);
        }
    }
}
