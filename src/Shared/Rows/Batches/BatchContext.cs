namespace Coppice.Rows;

/// <summary>
/// What the writers of the single mutations share while a batch is judged and applied: the batch, and the rows of the store.
/// </summary>
internal sealed class BatchContext(IRowStore store)
{
    // Tasks that got their number in this batch and have an idempotency key.
    private readonly HashSet<long> _keyed = [];
    private bool _wantsChanges;
    private long? _revision;

    // Each once, and not through the store for every row.
    public INumbers Numbers { get; } = store.Numbers;

    public IIdRows Ids { get; } = store.Ids;

    public ITaskRows Tasks { get; } = store.Tasks;

    public IWorkRows Work { get; } = store.Work;

    public IStepRows Steps { get; } = store.Steps;

    public IKindRows Kinds { get; } = store.Kinds;

    public ILaneRows Lanes { get; } = store.Lanes;

    public Branches Branches { get; } = new(store.Branches);

    public IThreadRows Threads { get; } = store.Threads;

    public IMailRows Mail { get; } = store.Mail;

    public IMailboxes Mailboxes { get; } = store.Mailboxes;

    public IConversationRows Conversations { get; } = store.Conversations;

    public IMessageIdRows MessageIds { get; } = store.MessageIds;

    public IOutboxRows Outbox { get; } = store.Outbox;

    public IFailedMessageRows Failed { get; } = store.Failed;

    public IHosts Hosts { get; } = store.Hosts;

    public MutationBatch Batch { get; private set; } = null!;

    /// <summary>Gets the revision of the batch, taken when it is first asked for: only by what lands.</summary>
    public long Revision => _revision ??= Numbers.NextRevision();

    /// <summary>Gets or sets whether a mutation that is not refused is carried out, or only judged.</summary>
    public bool Applying { get; set; }

    public Notices Notices { get; private set; } = null!;

    public long Epoch => Batch.Host.Epoch;

    public DateTimeOffset Time => Batch.Time;

    public void Start(MutationBatch batch, Notices notices)
    {
        Batch = batch;
        Notices = notices;
        Applying = true;
        _wantsChanges = store.WantsChanges;
        _revision = null;
        _keyed.Clear();
    }

    /// <summary>Notes that a task with an idempotency key got its number in this batch.</summary>
    public void NoteKeyed(long task) => _keyed.Add(task);

    /// <summary>Whether a task with an idempotency key got its number in this batch.</summary>
    public bool IsNew(long task) => _keyed.Contains(task);

    /// <summary>Finds a live task of the batch's host and attempt, or says why it is not one.</summary>
    /// <param name="taskId">The task.</param>
    /// <param name="claim">The attempt; 0 for a task without work.</param>
    /// <param name="task">The task.</param>
    public MoveRefused? Refuse(string taskId, long claim, out TaskHead task)
    {
        task = default;
        if (Ids.Find(taskId) is not { } number
            || Tasks.Head(number) is not { } found
            || found.HostEpoch != Epoch
            || claim != (found.Kind is null ? 0 : Work.Head(number).Claim))
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

        work = Work.Head(task.Number);
        return null;
    }

    /// <summary>Lets go of the batch, whose mutations may lead to whatever their host runs.</summary>
    public void End()
    {
        Batch = null!;
        Notices = null!;
    }

    /// <summary>
    /// Notes a change of a task, with the task as it is now. While nobody watches it is not read for that: who begins to watch before the
    /// commit is told of it as it was noted if it was at hand, else as the transaction has left it.
    /// </summary>
    public void Changed(TaskChangeKind kind, long task, CustomTaskEvent? mail = null, long sequence = 0)
    {
        var now = _wantsChanges ? Tasks.Snapshot(task) : Tasks.SnapshotAtHand(task);
        Notices.AddChange(Revision, kind, task, now, mail, sequence);
    }
}
