using System.Globalization;

namespace Coppice.PostgreSql;

/// <summary>The writer's transaction, as the rules see it.</summary>
internal sealed class RowStore : IRowStore, IDisposable
{
    private readonly WriterConnection _connection;
    private readonly WriterConnection _aside;
    private readonly Listeners _listeners;
    private readonly NumberRows _numbers;
    private readonly TaskRows _tasks;
    private readonly WorkRows _work;
    private readonly KindRows _kinds;
    private readonly LaneRows _lanes;
    private readonly ThreadRows _threads;
    private readonly HostRows _hosts;
    private readonly FailedRows _failed;
    private readonly BranchRows _branches;
    private readonly Opening _opening;
    private readonly Statement _status;
    private readonly StoreMemory _memory;
    private long _mailAtMark;

    public RowStore(Database database, StoreMemory memory, Listeners listeners)
    {
        _listeners = listeners;
        _memory = memory;
        _connection = new WriterConnection(database);
        try
        {
            _aside = new WriterConnection(database);
        }
        catch
        {
            _connection.Dispose();
            throw;
        }

        var owners = new TaskOwners(_connection, memory.Owners);
        _numbers = new NumberRows(_connection);
        _branches = new BranchRows(_connection, owners);
        _tasks = new TaskRows(_connection, owners, memory.Owners, _branches);
        _work = new WorkRows(_connection, owners);
        var questions = new TaskQuestions(_connection, memory.Owners, _tasks, _branches, _work);
        _work.Ahead = questions;
        _lanes = new LaneRows(_connection, questions);
        _kinds = new KindRows(_connection, _lanes);
        _threads = new ThreadRows(_connection, _aside, memory.Threads);
        _hosts = new HostRows(_connection, memory.Session);
        Ids = new IdRows(_connection, _aside);
        Steps = new StepRows(_connection, owners);
        Mailboxes = new MailboxRows(_connection, _threads);
        Mail = new MailRows(_connection, _threads);
        Conversations = new ConversationRows(_connection);
        MessageIds = new MessageIdRows(_connection);
        Outbox = new OutboxRows(_connection);
        _failed = new FailedRows(_connection, memory.Grown);
        _opening = new Opening(_connection, memory.Owners, owners, _numbers, _hosts, _threads, questions, _branches, _work);
        _status = _connection.PrepareApart("SELECT pg_xact_status($1::xid8)");
    }

    public INumbers Numbers => _numbers;

    public IIdRows Ids { get; }

    public ITaskRows Tasks => _tasks;

    public IWorkRows Work => _work;

    public IStepRows Steps { get; }

    public IKindRows Kinds => _kinds;

    public ILaneRows Lanes => _lanes;

    public IBranchRows Branches => _branches;

    public IThreadRows Threads => _threads;

    public IMailRows Mail { get; }

    public IMailboxes Mailboxes { get; }

    public IConversationRows Conversations { get; }

    public IMessageIdRows MessageIds { get; }

    public IOutboxRows Outbox { get; }

    public IFailedMessageRows Failed => _failed;

    public IHosts Hosts => _hosts;

    public bool WantsChanges => _listeners.WantChanges;

    /// <summary>Begins a transaction for batches of some hosts, with the locks of some threads.</summary>
    public void Begin(IReadOnlyCollection<MutationBatch> batches, IReadOnlyCollection<long> threads)
    {
        Forget();
        _numbers.Forget();
        _opening.Begin(batches, threads);
    }

    /// <summary>Gets the id of the transaction, by which it can be looked up.</summary>
    public long? TransactionId => _numbers.TransactionId;

    /// <summary>Gets how many round trips were made.</summary>
    public long RoundTrips => _connection.RoundTrips + _aside.RoundTrips;

    /// <summary>Writes what is noted and commits.</summary>
    public void Commit()
    {
        _lanes.Save();
        _threads.Save();
        _connection.Commit();
    }

    /// <summary>What became of a transaction, in the database's words.</summary>
    public string? StatusOf(long transactionId)
    {
        using var rows = _status.Bind(transactionId.ToString(CultureInfo.InvariantCulture)).Rows();
        return rows.Next() ? rows.TextOrNull(0) : null;
    }

    /// <summary>The transaction has landed.</summary>
    public void Landed()
    {
        _hosts.Landed();
        _failed.Landed();
        _threads.Landed(_memory.Unread);
        _memory.ChangeMailDepth(_threads.MailChange);
    }

    /// <summary>Takes the transaction back.</summary>
    /// <param name="dropNumbers">Whether somebody else has used a number that this process had taken.</param>
    public void Rollback(bool dropNumbers)
    {
        _connection.Rollback();
        Forget();
        _numbers.Forget();
        if (dropNumbers)
        {
            _numbers.Drop();
        }
    }

    public void BeginBatch()
    {
        _mailAtMark = _threads.MailChange;
        _lanes.Save();
        _threads.Save();
        _connection.Mark();
    }

    public void KeepBatch() => _connection.KeepMark();

    public void TakeBackBatch()
    {
        _connection.RollbackToMark();
        Forget();
        _threads.MailChange = _mailAtMark;
    }

    public void Dispose()
    {
        _connection.Dispose();
        _aside.Dispose();
    }

    private void Forget()
    {
        _failed.TakenBack();
        _threads.MailChange = 0;
        _tasks.Forget();
        _branches.Forget();
        _work.Forget();
        _kinds.Forget();
        _lanes.Forget();
        _threads.Forget();
        _hosts.Forget();
    }
}
