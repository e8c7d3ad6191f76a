namespace Coppice.PostgreSql;

/// <summary>What a store remembers from one transaction to the next: pairs that never change, and what is its process's own.</summary>
internal sealed class StoreMemory(SessionLocks session, NewsChannel channel, TimeProvider? time = null)
{
    private long _mailDepth;

    public OwnerMemory Owners { get; } = new();

    public CommittedTasks Tasks { get; } = new(time);

    public ThreadMemory Threads { get; } = new();

    public GrownSenders Grown { get; } = new();

    public UnreadMemory Unread { get; } = new();

    public SessionLocks Session { get; } = session;

    public NewsChannel Channel { get; } = channel;

    public OwnHosts Hosts { get; } = new();

    public OwnReaders Readers { get; } = new();

    /// <summary>Gets or sets how many pieces of mail are not acknowledged, as far as this process knows: it is read now and then, and changed by what lands here.</summary>
    public long MailDepth
    {
        get => Volatile.Read(ref _mailDepth);
        set => Volatile.Write(ref _mailDepth, value);
    }

    public void ChangeMailDepth(long change) => Interlocked.Add(ref _mailDepth, change);
}
