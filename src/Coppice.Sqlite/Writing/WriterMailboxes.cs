namespace Coppice.Sqlite;

/// <summary>The open mailboxes as the writer's transaction has them.</summary>
internal sealed class WriterMailboxes(StoreState state, ThreadTable threads, MailTable mail) : IMailboxes
{
    public ReaderHead? Find(string threadId) => state.Mailboxes.Find(threadId)?.Head(threadId);

    public ReaderHead? Find(long thread) => Find(threads.Head(thread).Id);

    public IReadOnlyList<ReaderHead> OfHost(long epoch) =>
        state.Mailboxes.OfHost(epoch).ConvertAll(static entry => entry.Value.Head(entry.Key));

    public void Open(in ReaderHead reader) =>
        state.Mailboxes.Set(
            reader.ThreadId, new MailboxReader(reader.Reader, reader.HostEpoch, reader.Agent, reader.ReadThrough, reader.Unread));

    public void Close(string threadId) => state.Mailboxes.Set(threadId, null);

    public MailCounts? ChangeUnread(long thread, MailCounts change) => Reader(thread) is { } reader ? Change(reader, change) : null;

    public void Skip(long thread, long through) => Reader(thread)?.Skip(through, (after, last) => mail.Count(thread, after, last));

    private MailboxReader? Reader(long thread) => state.Mailboxes.Find(threads.Head(thread).Id);

    private MailCounts Change(MailboxReader reader, MailCounts change)
    {
        state.Undo.Add(() => reader.Change(default(MailCounts) - change));
        return reader.Change(change);
    }
}
