namespace Coppice.Sqlite;

/// <summary>The rows of the file as the writer's transaction has them, and what the process knows besides. There is one writer, so nothing is locked.</summary>
internal sealed class WriterRows(WriterSession session, StoreState state) : IRowStore
{
    private readonly Counters _countersAtMark = new();
    private int _undoMark;

    public INumbers Numbers => state.Counters;

    public IIdRows Ids => session.Ids;

    public ITaskRows Tasks => session.Tasks;

    public IWorkRows Work => session.Work;

    public IStepRows Steps => session.Steps;

    public IKindRows Kinds => session.Kinds;

    public ILaneRows Lanes => session.Lanes;

    public IBranchRows Branches => session.Branches;

    public IThreadRows Threads => session.Threads;

    public IMailRows Mail => session.Mail;

    public IMailboxes Mailboxes { get; } = new WriterMailboxes(state, session.Threads, session.Mail);

    public IConversationRows Conversations => session.Conversations;

    public IMessageIdRows MessageIds => session.MessageIds;

    public IOutboxRows Outbox => session.Outbox;

    public IFailedMessageRows Failed => session.Failed;

    public IHosts Hosts => state.Hosts;

    public bool WantsChanges => state.Listeners.WantChanges;

    public void BeginBatch()
    {
        _undoMark = state.Undo.Mark;
        _countersAtMark.SetTo(state.Counters);
        session.BeginBatch();
    }

    public void KeepBatch() => session.EndBatch();

    public void TakeBackBatch()
    {
        session.RollbackBatch();
        state.Undo.UndoTo(_undoMark);
        state.Counters.SetTo(_countersAtMark);
    }
}
