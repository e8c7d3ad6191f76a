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
    private readonly NewsWriter _news;
    private readonly FailedRows _failed;
    private readonly CommitRows _commits;
    private readonly BranchRows _branches;
    private readonly Opening _opening;
    private readonly StoreMemory _memory;
    private readonly RecentTasks _recent;
    private Reliance _reliance;
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
        _recent = new RecentTasks(memory.Tasks);
        _tasks = new TaskRows(_connection, owners, memory.Owners, _recent, _branches, _numbers);
        _work = new WorkRows(_connection, owners);
        _lanes = new LaneRows(_connection);
        _kinds = new KindRows(_connection, _lanes);
        var questions = new TaskQuestions(_connection, memory.Owners, _tasks, _branches, _work, _lanes, _kinds);
        (_work.Ahead, _lanes.Ahead) = (questions, questions);
        _threads = new ThreadRows(_connection, _aside, memory.Threads);
        _hosts = new HostRows(_connection, memory, listeners);
        _news = new NewsWriter(_hosts, _threads, listeners);
        Ids = new IdRows(_connection, _aside);
        Steps = new StepRows(_connection, owners);
        Mailboxes = new MailboxRows(_connection, _threads);
        Mail = new MailRows(_connection, _threads);
        Conversations = new ConversationRows(_connection);
        MessageIds = new MessageIdRows(_connection);
        Outbox = new OutboxRows(_connection);
        _failed = new FailedRows(_connection, memory.Grown);
        _commits = new CommitRows(_connection);
        _opening = new Opening(_connection, memory.Owners, owners, _numbers, _hosts, _threads, questions, _branches, _work);
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

    /// <summary>Gets whether a connection is gone, so that the store is of no more use.</summary>
    public bool IsBroken => !_connection.IsOpen || !_aside.IsOpen;

    public bool WantsChanges => _listeners.WantChanges;

    /// <summary>Begins a transaction for batches of some hosts, with the locks of some threads.</summary>
    public void Begin(IReadOnlyCollection<MutationBatch> batches, IReadOnlyCollection<long> threads)
    {
        Forget();
        _numbers.Forget();
        _hosts.Begin();
        _opening.Begin(batches, threads);
    }

    /// <summary>Whether all that a batch needs is likely to be known, so that a transaction for it can begin ahead.</summary>
    public bool IsAtHand(MutationBatch batch) => _opening.IsAtHand(batch);

    /// <summary>Takes in that mail was taken as read.</summary>
    public void Take(in ReadMark mark) => _connection.Facts.Find(mark.Thread)?.Take(mark);

    /// <summary>Begins a transaction that reads nothing and sends nothing before it commits, for batches of which each is at hand.</summary>
    /// <exception cref="NotAtHandException">By any member, until it has committed: something else was needed.</exception>
    public bool TryBeginAhead(IReadOnlyCollection<MutationBatch> batches)
    {
        if (_opening.TryBeginAhead(batches) is not { } reliance)
        {
            return false;
        }

        _reliance = reliance;
        _numbers.Forget();
        _hosts.BeginAhead();
        ForgetChanges();
        return true;
    }

    /// <summary>Gets how often something was sent.</summary>
    public long Exchanges => _connection.Exchanges + _aside.Exchanges;

    /// <summary>By what the next transaction can be looked up.</summary>
    public CommitMark NextMark() => _commits.Next();

    /// <summary>What other processes have to hear of the transaction, once it has landed.</summary>
    public IReadOnlyList<NewsItem> News(Notices notices) => _news.Write(notices);

    /// <summary>Writes what is noted and commits.</summary>
    /// <param name="mark">By what the transaction can be looked up; <see langword="null"/> where it has written nothing.</param>
    public void Commit(CommitMark? mark)
    {
        _lanes.Save();
        _threads.Save();
        _recent.Withdraw();
        _connection.Commit(mark);
    }

    /// <summary>Commits a transaction that began ahead, if what it relied on still holds.</summary>
    /// <param name="mark">By what it can be looked up.</param>
    /// <returns>What its revisions are to be raised by; <see langword="null"/> where something has changed, and nothing was written.</returns>
    public long? CommitAhead(CommitMark mark)
    {
        _threads.Save();
        _recent.Withdraw();
        return _connection.CommitAhead(_reliance, mark) is { } number ? NumberRows.RevisionOf(number) : null;
    }

    /// <summary>A revision that is higher than all before it.</summary>
    public long NewRevision() => _numbers.NewRevision();

    /// <summary>Whether a transaction has landed; <see langword="null"/> while it may be about to. None is under way here.</summary>
    public bool? HasLanded(CommitMark mark) => _commits.HasLanded(mark);

    /// <summary>Removes what is left of connections that are long gone.</summary>
    public void Tidy() => _commits.Tidy();

    /// <summary>The transaction has landed.</summary>
    public void Landed()
    {
        _connection.Landed();
        _hosts.Landed();
        _recent.Publish();
        _failed.Landed();
        _threads.Landed(_memory);
        _memory.ChangeMailDepth(_threads.MailChange);
    }

    /// <summary>Takes the transaction back.</summary>
    /// <param name="dropNumbers">Whether somebody else has used a number that this process had taken.</param>
    public void Rollback(bool dropNumbers)
    {
        _recent.TakeBack();
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
        _recent.Distrust();
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
        ForgetChanges();
        _hosts.Forget();
    }

    private void ForgetChanges()
    {
        _failed.TakenBack();
        _threads.MailChange = 0;
        _work.Forget();
        _kinds.Forget();
        _lanes.Forget();
        _threads.Forget();
    }
}
