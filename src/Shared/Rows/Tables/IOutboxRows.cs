namespace Coppice.Rows;

/// <summary>
/// The messages that are on their way out, by their senders' threads. Those of one sender to one recipient make a lane, of which only the
/// first may be sent: that one has a time at which it is due, unless a host has taken it; the others have none.
/// </summary>
internal interface IOutboxRows
{
    /// <summary>Adds a message at the end of its lane, due now if it is the first, and returns its number.</summary>
    long Add(long sender, long recipient, ThreadMessage message, DateTimeOffset now);

    /// <summary>The first of those that are due, by time and then by number; it may leave out what another transaction has.</summary>
    OutboxEntry? FindDue(DateTimeOffset now);

    /// <summary>Finds a message that is still there.</summary>
    OutboxEntry? Find(long number);

    /// <summary>When the next message is due. Another transaction's work in progress need not be seen.</summary>
    DateTimeOffset? NextDue();

    /// <summary>Gives a message to a host, which makes one more attempt.</summary>
    void Claim(long number, long epoch);

    /// <summary>Takes a message back from its host, to be sent at a time.</summary>
    void MakeReady(long number, DateTimeOffset due, int attempts);

    /// <summary>Takes a message out of its lane, whose next one is due now.</summary>
    void Remove(in OutboxEntry entry, DateTimeOffset now);

    /// <summary>Gives back what a host had taken, due now. The attempt counts.</summary>
    void Release(long epoch, DateTimeOffset now);

    /// <summary>The epochs of the hosts that have taken messages, in no order. Nothing is locked by this.</summary>
    IReadOnlyList<long> Claimants();
}
