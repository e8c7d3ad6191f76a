using Microsoft.Extensions.AI;

namespace Coppice.Agents;

/// <summary>What a run tells its model of the mail: the messages, and through which piece of mail they say all.</summary>
internal readonly record struct Told(IReadOnlyList<ChatMessage> Messages, long ThroughSequence)
{
    internal static Told Nothing => new([], 0);
}
