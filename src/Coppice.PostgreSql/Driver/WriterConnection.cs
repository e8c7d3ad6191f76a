using Npgsql;

namespace Coppice.PostgreSql;

/// <summary>A connection that writes, with one transaction at a time and the locks that it holds.</summary>
internal sealed class WriterConnection : IDisposable
{
    private readonly NpgsqlConnection _connection;
    private readonly string _schema;
    private readonly HashSet<long> _locked = [];
    private readonly Statement _begin;
    private readonly Statement _commit;
    private readonly Statement _rollback;
    private readonly Statement _mark;
    private readonly Statement _release;
    private readonly Statement _rollbackToMark;
    private readonly Statement _lock;
    private readonly Statement _tryLock;
    private HashSet<long>? _lockedAtMark;

    public WriterConnection(Database database)
    {
        _connection = database.Open();
        _schema = database.Schema;
        _begin = Prepare("BEGIN ISOLATION LEVEL READ COMMITTED");
        _commit = Prepare("COMMIT");
        _rollback = Prepare("ROLLBACK");
        _mark = Prepare("SAVEPOINT batch");
        _release = Prepare("RELEASE SAVEPOINT batch");
        _rollbackToMark = Prepare("ROLLBACK TO SAVEPOINT batch");
        _lock = Prepare("SELECT 1 FROM {schema}.threads WHERE owner_thread_id = ANY ($1) ORDER BY owner_thread_id FOR NO KEY UPDATE");
        Names = new NamedLocks(Prepare);
        _tryLock = Prepare("SELECT owner_thread_id FROM {schema}.threads WHERE owner_thread_id = ANY ($1) ORDER BY owner_thread_id FOR NO KEY UPDATE SKIP LOCKED");
    }

    /// <summary>Gets the schema of the store.</summary>
    public string Schema => _schema;

    /// <summary>Gets whether the connection is there, as far as is known before it is used.</summary>
    public bool IsOpen => _connection.State == System.Data.ConnectionState.Open;

    /// <summary>Gets whether something was left out because others had it locked.</summary>
    public bool HasSkipped { get; private set; }

    /// <summary>Gets the locks of the transaction that are of no thread.</summary>
    public NamedLocks Names { get; }

    /// <summary>Gets the threads that the transaction holds.</summary>
    public IReadOnlyCollection<long> Locked => _locked;

    /// <summary>Makes a statement; <c>{schema}</c> in it is the schema of the store.</summary>
    public Statement Prepare(string sql) => new(_connection, sql.Replace("{schema}", _schema, StringComparison.Ordinal));

    /// <summary>Makes statements that are sent together, each of which sees what others have committed by then.</summary>
    public NpgsqlBatch PrepareAll(params string[] statements)
    {
        var batch = new NpgsqlBatch(_connection);
        foreach (var sql in statements)
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand(sql.Replace("{schema}", _schema, StringComparison.Ordinal)));
        }

        return batch;
    }

    /// <summary>Begins a transaction, which holds nothing yet.</summary>
    public void Begin()
    {
        _locked.Clear();
        _lockedAtMark = null;
        HasSkipped = false;
        Names.Begin();
        _begin.Run();
    }

    public void Commit() => _commit.Run();

    public void Rollback() => _rollback.Run();

    public void Mark()
    {
        _mark.Run();
        _lockedAtMark = [.. _locked];
        Names.Mark();
    }

    public void KeepMark()
    {
        _release.Run();
        _lockedAtMark = null;
    }

    /// <summary>Takes back what was done since the mark. Locks that were taken since are gone with it.</summary>
    public void RollbackToMark()
    {
        _rollbackToMark.Run();
        _release.Run();
        _locked.Clear();
        _locked.UnionWith(_lockedAtMark!);
        _lockedAtMark = null;
        Names.RollbackToMark();
    }

    /// <summary>Holds a thread from here on.</summary>
    /// <exception cref="LocksNeededException">Somebody else holds it, and to wait for it might be to wait for each other.</exception>
    public void Lock(long thread)
    {
        if (!_locked.Contains(thread))
        {
            LockAll([thread]);
        }
    }

    /// <summary>Holds threads from here on.</summary>
    /// <exception cref="LocksNeededException">Somebody else holds one, and to wait for it might be to wait for each other.</exception>
    public void LockAll(IEnumerable<long> threads)
    {
        var wanted = threads.Where(thread => !_locked.Contains(thread)).Distinct().Order().ToArray();
        if (wanted.Length == 0)
        {
            return;
        }

        if (!Names.HasAny && (_locked.Count == 0 || wanted[0] > _locked.Max()))
        {
            Wait(wanted);
            return;
        }

        TryLock(wanted);
        if (wanted.Any(thread => !_locked.Contains(thread)))
        {
            throw new LocksNeededException([.. _locked, .. wanted]);
        }
    }

    /// <summary>Holds those of some threads that nobody else does.</summary>
    /// <returns>Those that this transaction holds now.</returns>
    public HashSet<long> LockFree(IEnumerable<long> threads)
    {
        var all = threads.ToHashSet();
        var wanted = all.Where(thread => !_locked.Contains(thread)).ToArray();
        if (wanted.Length > 0)
        {
            TryLock(wanted);
            var count = all.Count;
            all.IntersectWith(_locked);
            HasSkipped |= all.Count < count;
        }

        return all;
    }

    /// <summary>Takes in that something was left out because others had it locked.</summary>
    public void NoteSkipped() => HasSkipped = true;

    public void Dispose() => _connection.Dispose();

    private void Wait(long[] threads)
    {
        if (threads.Length > 0)
        {
            _lock.Bind(threads).Run();
            _locked.UnionWith(threads);
        }
    }

    private void TryLock(long[] threads) => _locked.UnionWith(_tryLock.Bind(threads).Numbers());
}
