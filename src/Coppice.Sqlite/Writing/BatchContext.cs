namespace Coppice.Sqlite;

/// <summary>What the writers of the single mutations share while a batch is judged and applied.</summary>
internal sealed class BatchContext(WriterSession session, StoreState state)
{
    private bool _wantsChanges;

    public WriterSession Session { get; } = session;

    public StoreState State { get; } = state;

    public Counters Counters => State.Counters;

    public MutationBatch Batch { get; private set; } = null!;

    public long Revision { get; private set; }

    /// <summary>Gets or sets whether a mutation that is not refused is carried out, or only judged.</summary>
    public bool Applying { get; set; }

    public Notices Notices { get; private set; } = null!;

    public long Epoch => Batch.Host.Epoch;

    public DateTimeOffset Time => Batch.Time;

    public void Start(MutationBatch batch, Notices notices)
    {
        Batch = batch;
        Revision = Counters.Revision + 1;
        Notices = notices;
        Applying = true;
        _wantsChanges = State.Listeners.WantChanges;
    }

    /// <summary>Lets go of the batch, whose mutations may lead to whatever their host runs.</summary>
    public void End()
    {
        Batch = null!;
        Notices = null!;
    }

    /// <summary>
    /// Notes a change of a task, with the task as it is now. While nobody watches it is not read for that: who begins to watch before the commit
    /// is told of it as it was noted if it is in memory, else as the transaction has left it.
    /// </summary>
    public void Changed(TaskChangeKind kind, long task, CustomTaskEvent? mail = null)
    {
        var now = _wantsChanges ? Session.Tasks.Snapshot(task) : State.Recent.Find(task);
        Notices.AddChange(Revision, kind, task, now, mail);
    }
}
