namespace Coppice.Rows;

/// <summary>
/// The mailboxes that a reader has open, by thread. A thread needs no row of its own to be read. How far a reader has read also changes
/// outside of transactions, when it reads.
/// </summary>
internal interface IMailboxes
{
    /// <summary>Who reads the mailbox of a thread, if somebody does.</summary>
    ReaderHead? Find(string threadId);

    /// <summary>Who reads the mailbox of a thread, if somebody does.</summary>
    ReaderHead? Find(long thread);

    /// <summary>The mailboxes that the readers of a host have open, in no order.</summary>
    IReadOnlyList<ReaderHead> OfHost(long epoch);

    /// <summary>Opens a mailbox, in place of the reader that may have it open.</summary>
    void Open(in ReaderHead reader);

    /// <summary>Closes a mailbox that is open.</summary>
    void Close(string threadId);

    /// <summary>Adds mail that has arrived to what the reader has not read, or takes out what is gone unread.</summary>
    /// <returns>What is not read now; <see langword="null"/> where nobody has the mailbox open, and nothing changes.</returns>
    MailCounts? ChangeUnread(long thread, MailCounts change);

    /// <summary>
    /// Takes mail up to a sequence as read, in an open mailbox, and out of what is not read. The mail is still there. Need not be taken
    /// back with its batch: the reader is done with it and would only acknowledge it again.
    /// </summary>
    void Skip(long thread, long through);
}
