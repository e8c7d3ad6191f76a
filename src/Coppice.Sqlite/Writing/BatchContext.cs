namespace Coppice.Sqlite;

/// <summary>What the writers of the single mutations share while a batch is judged and applied.</summary>
internal sealed class BatchContext(WriterSession session, StoreState state)
{
    private bool _wantsChanges;
    private long _firstNewTask;
    private long _firstNewForeign;

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
        (_firstNewTask, _firstNewForeign) = (Counters.NextTask, Counters.NextForeign);
    }

    /// <summary>Whether a task got its number in this batch.</summary>
    public bool IsNew(long task) => task >= (task < Schema.FirstForeign ? _firstNewTask : _firstNewForeign);

    /// <summary>Finds a live task of the batch's host and attempt, or says why it is not one.</summary>
    /// <param name="taskId">The task.</param>
    /// <param name="claim">The attempt; 0 for a task without work.</param>
    /// <param name="task">The task.</param>
    public MoveRefused? Refuse(string taskId, long claim, out TaskHead task)
    {
        task = default;
        if (Session.Ids.Find(taskId) is not { } number
            || Session.Tasks.Head(number) is not { } found
            || found.HostEpoch != Epoch
            || claim != (found.Kind is null ? 0 : Session.Work.Head(number).Claim))
        {
            return new MoveRefused((TaskState?)null);
        }

        task = found;
        return found.IsLive ? null : new MoveRefused(found.State);
    }

    /// <summary>Finds the live work of the batch's host and attempt, or says why it is none.</summary>
    /// <param name="taskId">The task.</param>
    /// <param name="claim">The attempt.</param>
    /// <param name="task">The task.</param>
    /// <param name="work">Its work.</param>
    public MoveRefused? RefuseWork(string taskId, long claim, out TaskHead task, out WorkHead work)
    {
        (task, work) = (default, default);
        if (claim == 0)
        {
            return new MoveRefused((TaskState?)null);
        }

        if (Refuse(taskId, claim, out task) is { } refusal)
        {
            return refusal;
        }

        work = Session.Work.Head(task.Number);
        return null;
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
