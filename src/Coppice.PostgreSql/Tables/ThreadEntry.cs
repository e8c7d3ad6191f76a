namespace Coppice.PostgreSql;

/// <summary>A thread as the transaction has it: the head of its mailbox, and who has that open.</summary>
internal sealed class ThreadEntry(ThreadHead head)
{
    public ThreadHead Head { get; } = head;

    public Guid? Reader { get; set; }

    public long ReaderEpoch { get; set; }

    /// <summary>Gets or sets the host of the reader that had the mailbox open before the transaction; 0 where nobody had.</summary>
    public long ReaderEpochBefore { get; set; }

    public long? ReaderAgent { get; set; }

    public long ReadThrough { get; set; }

    public MailCounts Unread { get; set; }

    public ReaderHead? ToReader() =>
        Reader is { } reader ? new ReaderHead(Head.Id, reader, ReaderEpoch, ReaderAgent, ReadThrough, Unread) : null;
}
