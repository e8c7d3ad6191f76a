namespace Coppice.PostgreSql;

/// <summary>The mailboxes that a reader has open. They stand in the rows of their threads.</summary>
internal sealed class MailboxRows(WriterConnection connection, ThreadRows threads) : IMailboxes
{
    private readonly Statement _ofHost = connection.Prepare("SELECT owner_thread_id FROM {schema}.threads WHERE reader_epoch = $1");
    private readonly Statement _unread = connection.Prepare(
        "SELECT class, count(*) FROM {schema}.mail WHERE owner_thread_id = $1 AND seq > $2 AND seq <= $3 GROUP BY class");

    public ReaderHead? Find(string threadId) => threads.Find(threadId) is { } number ? Find(number) : null;

    public ReaderHead? Find(long thread) => threads.Entry(thread).ToReader();

    public IReadOnlyList<ReaderHead> OfHost(long epoch)
    {
        threads.Save();
        while (true)
        {
            // A mailbox that is opened while the locks are waited for would be missed, and one that is closed is looked at in vain.
            var numbers = _ofHost.Bind(epoch).Numbers();
            connection.LockAll(numbers);
            if (_ofHost.Bind(epoch).Numbers().All(numbers.Contains))
            {
                return [.. numbers.Select(Find).Where(reader => reader?.HostEpoch == epoch).Select(static reader => reader!.Value)];
            }
        }
    }

    public void Open(in ReaderHead reader)
    {
        var entry = threads.Changing(threads.Ensure(reader.ThreadId));
        (entry.Reader, entry.ReaderEpoch, entry.ReaderAgent) = (reader.Reader, reader.HostEpoch, reader.Agent);
        (entry.ReadThrough, entry.Unread) = (reader.ReadThrough, reader.Unread);
    }

    public void Close(string threadId)
    {
        var entry = threads.Changing(threads.Find(threadId)!.Value);
        (entry.Reader, entry.ReaderEpoch, entry.ReaderAgent, entry.Unread) = (null, 0, null, default);
    }

    public MailCounts? ChangeUnread(long thread, MailCounts change)
    {
        if (threads.Entry(thread).Reader is null)
        {
            return null;
        }

        var entry = threads.Changing(thread);
        return entry.Unread += change;
    }

    public void Skip(long thread, long through)
    {
        var entry = threads.Entry(thread);
        if (through <= entry.ReadThrough)
        {
            return;
        }

        var skipped = through >= entry.Head.LastSequence ? entry.Unread : Count(thread, entry.ReadThrough, through);
        threads.Changing(thread);
        entry.ReadThrough = through;
        entry.Unread -= skipped;
    }

    private MailCounts Count(long thread, long after, long through)
    {
        var counts = default(MailCounts);
        using var rows = _unread.Bind(thread).Bind(after).Bind(through).Rows();
        while (rows.Next())
        {
            counts += MailCounts.Of((MailClass)rows.Number(0), (int)rows.Number(1));
        }

        return counts;
    }
}
