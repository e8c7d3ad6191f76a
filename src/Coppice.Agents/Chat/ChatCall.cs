using Microsoft.Extensions.AI;

namespace Coppice.Agents;

/// <summary>What one call of the model is given.</summary>
internal readonly record struct ChatCall(IReadOnlyList<ChatMessage> Messages, ChatOptions? Options)
{
    /// <summary>Asks the model. Scopes are ambient: set in a method of their own they reach the client below, and nobody above.</summary>
    internal async Task<ChatResponse> AskAsync(IChatClient client, AgentRun run)
    {
        using var scope = run.BeginToolCall("");
        return await client.GetResponseAsync(Messages, Options, run.CancellationToken).ConfigureAwait(false);
    }
}
