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

    public List<Notice> Notices { get; private set; } = null!;

    public long Epoch => Batch.Host.Epoch;

    public DateTimeOffset Time => Batch.Time;

    public void Start(MutationBatch batch, List<Notice> notices)
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

    /// <summary>Notes a change of a task, as the task is now, if anybody listens for it.</summary>
    public void Changed(TaskChangeKind kind, long task, CustomTaskEvent? mail = null)
    {
        if (_wantsChanges)
        {
            Notices.Add(new Notice.Changed(new TaskChange(Revision, kind, Session.Tasks.Snapshot(task), mail)));
        }
    }
}
