namespace Coppice.Sqlite;

/// <summary>The writer's connection and its statements.</summary>
internal sealed class WriterSession : IDisposable
{
    private readonly Statement _begin;
    private readonly Statement _commit;
    private readonly Statement _rollback;

    public WriterSession(Connection connection)
    {
        Connection = connection;
        Meta = new MetaTable(connection);
        Ids = new IdTable(connection);
        Tasks = new TaskTable(connection);
        Branches = new BranchTable(connection);
        Threads = new ThreadTable(connection);
        Mail = new MailTable(connection);
        _begin = connection.Prepare("BEGIN IMMEDIATE");
        _commit = connection.Prepare("COMMIT");
        _rollback = connection.Prepare("ROLLBACK");
    }

    public Connection Connection { get; }

    public MetaTable Meta { get; }

    public IdTable Ids { get; }

    public TaskTable Tasks { get; }

    public BranchTable Branches { get; }

    public ThreadTable Threads { get; }

    public MailTable Mail { get; }

    public void Begin()
    {
        Connection.BoundBytes = 0;
        _begin.Run();
    }

    public void Commit() => _commit.Run();

    /// <summary>Rolls back, unless SQLite has done so itself after a failure.</summary>
    public void Rollback()
    {
        if (Connection.InTransaction)
        {
            _rollback.Run();
        }
    }

    public void Dispose() => Connection.Dispose();
}
