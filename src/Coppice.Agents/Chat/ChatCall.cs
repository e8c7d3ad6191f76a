using Microsoft.Extensions.AI;

namespace Coppice.Agents;

/// <summary>What one call of the model is given.</summary>
internal readonly record struct ChatCall(IReadOnlyList<ChatMessage> Messages, ChatOptions? Options);
