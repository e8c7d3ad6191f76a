using System.Globalization;

namespace Coppice;

/// <summary>
/// A conversation is not as long as its writer thought, so nothing was appended and nothing acknowledged. Read it anew and go on from there.
/// </summary>
public class ConversationConflictException : CoppiceException
{
    /// <summary>Creates the fault.</summary>
    /// <param name="threadId">The thread whose conversation it is.</param>
    /// <param name="firstEntry">Where the writer wanted to append.</param>
    /// <param name="count">How many entries there are.</param>
    public ConversationConflictException(string threadId, int firstEntry, int count)
        : base("conversation_conflict", string.Create(
            CultureInfo.InvariantCulture,
            $"The conversation of thread '{threadId}' has {count} entries, not {firstEntry}: it was written to, or an append whose answer was lost has landed. Read it anew."))
    {
        ThreadId = threadId;
        Count = count;
    }

    /// <summary>Gets the thread whose conversation it is.</summary>
    public string ThreadId { get; }

    /// <summary>Gets how many entries there are. Where it is what the append would have made it, an earlier try has landed.</summary>
    public int Count { get; }
}
