namespace Coppice.Rows;

/// <summary>
/// The messages that have failed, by their senders' threads. For what an agent had not acknowledged when it ended, that is the agent's
/// owner.
/// </summary>
internal interface IFailedMessageRows
{
    /// <summary>Adds a message at the end.</summary>
    /// <param name="sender">The thread to whose failed messages it is added.</param>
    /// <param name="recipient">The thread that it was for.</param>
    /// <param name="box">Where it was.</param>
    /// <param name="sequence">Its sequence in the mailbox of an agent; otherwise 0.</param>
    /// <param name="attempts">How many attempts were made to send it.</param>
    /// <param name="now">When it failed.</param>
    /// <param name="json">The message.</param>
    /// <param name="reason">Why.</param>
    void Add(long sender, long recipient, MessageBox box, long sequence, int attempts, DateTimeOffset now, string json, string reason);

    /// <summary>The failed messages of a sender, all or those of some numbers, in the order of their numbers.</summary>
    IReadOnlyList<FailedEntry> List(long sender, IReadOnlyCollection<long>? numbers);

    /// <summary>Forgets one.</summary>
    void Remove(long number);

    /// <summary>Forgets all of a sender, and tells how many.</summary>
    int Clear(long sender);

    /// <summary>
    /// Of each sender to whom some were added since this was last asked, in whatever transaction, drops the oldest beyond so many, and
    /// tells how many they were together. A sender that is missed, because a process ended, comes with the next one that is added.
    /// </summary>
    int Trim(int max);
}
