namespace Coppice.Sqlite;

/// <summary>A mailbox that a reader has open, and what the reader has not read of it. Safe for concurrent use.</summary>
internal sealed class MailboxReader(Guid reader, long hostEpoch, long? agent, long readThrough, MailCounts unread)
{
    private readonly Lock _gate = new();
    private long _readThrough = readThrough;
    private MailCounts _unread = unread;

    public Guid Reader { get; } = reader;

    public long HostEpoch { get; } = hostEpoch;

    /// <summary>Gets the agent task that it was opened for, if it was.</summary>
    public long? Agent { get; } = agent;

    public MailCounts Unread
    {
        get
        {
            lock (_gate)
            {
                return _unread;
            }
        }
    }

    /// <summary>The reader as it is now.</summary>
    public ReaderHead Head(string threadId)
    {
        lock (_gate)
        {
            return new ReaderHead(threadId, Reader, HostEpoch, Agent, _readThrough, _unread);
        }
    }

    /// <summary>Adds mail that arrived, or takes back mail that did not or is gone unread.</summary>
    /// <returns>What is unread with it.</returns>
    public MailCounts Change(MailCounts mail)
    {
        lock (_gate)
        {
            return _unread += mail;
        }
    }

    public void Read(IReadOnlyList<InboxItem> items)
    {
        lock (_gate)
        {
            foreach (var item in items)
            {
                if (item.Sequence > _readThrough)
                {
                    _unread -= MailCounts.One(item.Event.GetClass());
                    _readThrough = item.Sequence;
                }
            }
        }
    }

    /// <summary>Takes mail as read that was passed over or acknowledged without being read.</summary>
    /// <param name="through">The last of it.</param>
    /// <param name="count">Counts mail after one sequence and up to another.</param>
    public void Skip(long through, Func<long, long, MailCounts> count)
    {
        lock (_gate)
        {
            if (through > _readThrough)
            {
                _unread -= count(_readThrough, through);
                _readThrough = through;
            }
        }
    }
}
