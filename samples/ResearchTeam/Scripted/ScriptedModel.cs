using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace Coppice.Samples.ResearchTeam;

/// <summary>
/// A model without a network. It is no fixed list of steps: what it answers follows from what it is sent, so that it works in any order in which
/// tasks end, as a real one has to.
/// </summary>
internal abstract class ScriptedModel(TimeSpan thinking, TimeProvider time) : IChatClient
{
    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        await Task.Delay(thinking, time, cancellationToken);
        return new ChatResponse(Answer([.. messages], options ?? new ChatOptions()));
    }

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (var update in (await GetResponseAsync(messages, options, cancellationToken)).ToChatResponseUpdates())
        {
            yield return update;
        }
    }

    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceKey is null && serviceType.IsInstanceOfType(this) ? this : null;

    public void Dispose()
    {
    }

    protected abstract ChatMessage Answer(IReadOnlyList<ChatMessage> messages, ChatOptions options);
}
