using Microsoft.Extensions.AI;

namespace Coppice.Agents;

/// <summary>Keeps what is said in a turn as it is said, so that another can go on from there when this one is cut off.</summary>
internal interface ITurnKeeper
{
    /// <summary>Stores what was said, and in the same commit that mail is done with. Safe for concurrent use.</summary>
    /// <param name="messages">What was said, perhaps nothing.</param>
    /// <param name="acknowledgeThrough">The mail that is done with; 0 means none.</param>
    ValueTask KeepAsync(IReadOnlyList<ChatMessage> messages, long acknowledgeThrough);

    /// <summary>Stores that the calls of an answer are about to be made.</summary>
    /// <param name="answer">Which answer.</param>
    /// <returns>False when that was stored before: they may have been made.</returns>
    ValueTask<bool> TryBeginCallsAsync(string answer);

    /// <summary>What the tasks are known by that a call spawns; null where they are not to be found again.</summary>
    SpawnKeys? KeysFor(string answer, string callId);
}
