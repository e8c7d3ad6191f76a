namespace Coppice.Sqlite;

/// <summary>What the store knows besides its file: counters, hosts and open mailboxes. It outlives a connection.</summary>
internal sealed class StoreState
{
    private long _mailDepth;

    public StoreState()
    {
        Hosts = new Hosts(Undo);
        Mailboxes = new Mailboxes(Undo);
    }

    public Counters Counters { get; } = new();

    public UndoLog Undo { get; } = new();

    public Hosts Hosts { get; }

    public Mailboxes Mailboxes { get; }

    public RecentTasks Recent { get; } = new(new CommittedTasks());

    public GrownSenders Grown { get; } = new();

    public Listeners Listeners { get; } = new();

    /// <summary>Gets how much mail is not acknowledged, as committed.</summary>
    public long MailDepth => Volatile.Read(ref _mailDepth);

    /// <summary>Makes a committed transaction's changes everybody's.</summary>
    public void Publish()
    {
        Undo.Clear();
        Mailboxes.Publish();
        Recent.Publish();
        Volatile.Write(ref _mailDepth, Counters.MailDepth);
    }
}
