namespace Coppice.Sqlite;

/// <summary>The writer's connection and its statements.</summary>
internal sealed class WriterSession : IDisposable
{
    private readonly Statement _begin;
    private readonly Statement _commit;
    private readonly Statement _rollback;
    private readonly Statement _mark;
    private readonly Statement _release;
    private readonly Statement _rollbackToMark;

    public WriterSession(StoreFile file, StoreState state)
    {
        var connection = Connection = file.OpenWriter();
        Log = new LogKeeper(connection, file.Path, file.Options.Synchronous == SqliteSynchronous.Full);
        Meta = new MetaTable(connection);
        Ids = new IdTable(connection, state.Counters);
        Tasks = new TaskTable(connection, state.Recent);
        Work = new WorkTable(connection, state.Recent);
        Steps = new StepTable(connection);
        Kinds = new KindTable(connection);
        Lanes = new LaneTable(connection);
        Branches = new BranchTable(connection);
        Threads = new ThreadTable(connection, state.Counters);
        Mail = new MailTable(connection);
        Conversations = new ConversationTable(connection);
        MessageIds = new MessageIdTable(connection);
        Outbox = new OutboxTable(connection);
        Failed = new FailedTable(connection, state.Grown);
        _begin = connection.Prepare("BEGIN IMMEDIATE");
        _commit = connection.Prepare("COMMIT");
        _rollback = connection.Prepare("ROLLBACK");
        _mark = connection.Prepare("SAVEPOINT batch");
        _release = connection.Prepare("RELEASE batch");
        _rollbackToMark = connection.Prepare("ROLLBACK TO batch");
    }

    public Connection Connection { get; }

    public LogKeeper Log { get; }

    public MetaTable Meta { get; }

    public IdTable Ids { get; }

    public TaskTable Tasks { get; }

    public WorkTable Work { get; }

    public StepTable Steps { get; }

    public KindTable Kinds { get; }

    public LaneTable Lanes { get; }

    public BranchTable Branches { get; }

    public ThreadTable Threads { get; }

    public MailTable Mail { get; }

    public ConversationTable Conversations { get; }

    public MessageIdTable MessageIds { get; }

    public OutboxTable Outbox { get; }

    public FailedTable Failed { get; }

    public void Begin()
    {
        Connection.BoundBytes = 0;
        _begin.Run();
    }

    /// <summary>Writes what the tables keep in memory.</summary>
    public void Save()
    {
        Threads.Save();
        Kinds.Save();
        Lanes.Save();
    }

    public void Commit() => _commit.Run();

    /// <summary>Makes a mark to roll back to.</summary>
    public void BeginBatch()
    {
        Save();
        _mark.Run();
    }

    public void EndBatch() => _release.Run();

    /// <summary>Takes everything back to the mark.</summary>
    public void RollbackBatch()
    {
        _rollbackToMark.Run();
        _release.Run();
        Forget();
    }

    /// <summary>Rolls back, unless SQLite has done so itself after a failure.</summary>
    public void Rollback()
    {
        if (Connection.InTransaction)
        {
            _rollback.Run();
        }

        Forget();
    }

    public void Dispose() => Connection.Dispose();

    private void Forget()
    {
        Threads.Forget();
        Tasks.Forget();
        Work.Forget();
        Steps.Forget();
        Kinds.Forget();
        Lanes.Forget();
        Branches.Forget();
    }
}
