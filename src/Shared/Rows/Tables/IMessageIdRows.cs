namespace Coppice.Rows;

/// <summary>
/// The ids of messages between threads, by which a message that comes again is known. A row belongs to the recipient's thread. While its
/// message waits a row has the time at which that expires, if it does; from then on, the time at which it is forgotten.
/// </summary>
internal interface IMessageIdRows
{
    /// <summary>
    /// Where the message of an id is or was, unless it is to be forgotten by now; only in the mailbox, or first there and then in the
    /// outbox.
    /// </summary>
    /// <returns>Its sequence in the mailbox or its number in the outbox, and which of them.</returns>
    (long Place, MessageBox Box)? Find(long thread, string id, DateTimeOffset now, bool onlyMailbox);

    /// <summary>Keeps the id of a message that waits, in place of one that has ended.</summary>
    void Add(long thread, ThreadMessage message, MessageBox box, long place, TimeSpan keep);

    /// <summary>
    /// A message was sent or has failed: its id, if it was kept, is kept as long from now as was said when it was added, or for ever where
    /// that cannot be counted.
    /// </summary>
    void End(long thread, string id, MessageBox box, DateTimeOffset now);

    /// <summary>The messages of a mailbox that wait up to a sequence were acknowledged: the same for them.</summary>
    void EndThrough(long thread, long through, DateTimeOffset now);

    /// <summary>The messages of a mailbox that wait and have expired, after one sequence and up to another, in order.</summary>
    IReadOnlyList<WaitingMessage> ExpiredIn(long thread, long after, long through, DateTimeOffset now);

    /// <summary>
    /// The messages of all threads that wait and have expired, in either box, in the order of their times and then of their places.
    /// </summary>
    IReadOnlyList<WaitingMessage> Expired(DateTimeOffset now, int limit);

    /// <summary>Forgets ids whose time has come, and tells how many.</summary>
    int Forget(DateTimeOffset now, int limit);
}
