using Npgsql;

namespace Coppice.PostgreSql;

/// <summary>A connection that writes, with one transaction at a time, the locks that it holds, and what it is going to write.</summary>
/// <remarks>
/// <para>
/// What is written is noted and sent together with the commit, or before a statement whose answer may depend on it. The transaction begins with the first
/// statement that is sent, and a mark is made only when something that comes after it is.
/// </para>
/// <para>
/// What goes out together goes out statement by statement: Npgsql 10 sends several at once, from a thread that waits, only with the help of the thread pool, and
/// what writes must never depend on that.
/// </para>
/// </remarks>
internal sealed class WriterConnection : IDisposable
{
    private const string LockSql = "FROM {schema}.threads t WHERE owner_thread_id = ANY ($1) ORDER BY owner_thread_id FOR NO KEY UPDATE";

    private readonly NpgsqlConnection _connection;
    private readonly string _schema;
    private readonly HashSet<long> _locked = [];
    private readonly List<INoted> _noted = [];
    private readonly NotedStatements _statements = new();
    private readonly List<string> _first = [];
    private readonly Statement _lock;
    private readonly Statement _tryLock;
    private long _lastLocked;
    private HashSet<long>? _lockedAtMark;
    private bool _isOpen;
    private bool _isMarked;

    public WriterConnection(Database database)
    {
        _connection = database.Open();
        _schema = database.Schema;
        _lock = PrepareApart($"SELECT 1 {LockSql}");
        _tryLock = PrepareApart($"SELECT owner_thread_id {LockSql} SKIP LOCKED");
        Names = new NamedLocks(PrepareApart);
        _noted.Add(_statements);
    }

    /// <summary>Gets the schema of the store.</summary>
    public string Schema => _schema;

    /// <summary>Gets whether the connection is there, as far as is known before it is used.</summary>
    public bool IsOpen => _connection.State == System.Data.ConnectionState.Open;

    /// <summary>Gets how often something was sent. What goes out together counts once.</summary>
    public long Exchanges { get; private set; }

    /// <summary>Gets whether something was left out because others had it locked.</summary>
    public bool HasSkipped { get; private set; }

    /// <summary>Gets the locks of the transaction that are of no thread.</summary>
    public NamedLocks Names { get; }

    /// <summary>Gets the threads that the transaction holds.</summary>
    public IReadOnlyCollection<long> Locked => _locked;

    /// <summary>Whether the transaction holds a thread.</summary>
    public bool Holds(long thread) => _locked.Contains(thread);

    /// <summary>Makes a statement; <c>{schema}</c> in it is the schema of the store.</summary>
    public Statement Prepare(string sql) => new(this, InSchema(sql), isApart: false);

    /// <summary>Makes a statement whose answer does not depend on what the transaction has written.</summary>
    public Statement PrepareApart(string sql) => new(this, InSchema(sql), isApart: true);

    /// <summary>Makes the statement that locks threads and reads their rows, as columns of <c>threads t</c>.</summary>
    public Statement PrepareLock(string columns) => PrepareApart($"SELECT {columns} {LockSql}");

    public string InSchema(string sql) => sql.Replace("{schema}", _schema, StringComparison.Ordinal);

    /// <summary>Takes in what is noted for a table, to be sent when it has to be.</summary>
    public TNoted Add<TNoted>(TNoted noted)
        where TNoted : INoted
    {
        // Before the statements, which may take away what is in here, and never add to it.
        _noted.Insert(_noted.Count - 1, noted);
        return noted;
    }

    /// <summary>Begins a transaction, which holds nothing yet.</summary>
    public void Begin()
    {
        Forget();
        _first.Add("BEGIN ISOLATION LEVEL READ COMMITTED");
    }

    /// <summary>Writes what is noted and commits.</summary>
    public void Commit()
    {
        var commands = Noted();
        commands.Add(new NpgsqlCommand("COMMIT"));
        Send(commands);
        _isOpen = false;
    }

    public void Rollback()
    {
        var isOpen = _isOpen;
        Forget();
        if (isOpen)
        {
            Send([new NpgsqlCommand("ROLLBACK")]);
            _isOpen = false;
        }
    }

    public void Mark()
    {
        foreach (var noted in _noted)
        {
            noted.Mark();
        }

        (_isMarked, _lockedAtMark) = (true, null);
    }

    public void KeepMark()
    {
        foreach (var noted in _noted)
        {
            noted.Keep();
        }

        if (_lockedAtMark is not null)
        {
            _first.Add("RELEASE SAVEPOINT batch");
        }

        (_isMarked, _lockedAtMark) = (false, null);
    }

    /// <summary>Takes back what was done since the mark. Locks that were taken since the mark was sent are gone with it.</summary>
    public void RollbackToMark()
    {
        foreach (var noted in _noted)
        {
            noted.TakeBack();
        }

        if (_lockedAtMark is { } locked)
        {
            Send([new NpgsqlCommand("ROLLBACK TO SAVEPOINT batch"), new NpgsqlCommand("RELEASE SAVEPOINT batch")]);
            _locked.Clear();
            _locked.UnionWith(locked);
            _lastLocked = _locked.Count == 0 ? 0 : _locked.Max();
            Names.RollbackToMark();
        }

        (_isMarked, _lockedAtMark) = (false, null);
    }

    /// <summary>Notes a statement that writes.</summary>
    public void Note(NpgsqlCommand command) => _statements.Add(command);

    /// <summary>Runs a statement and tells how many rows it wrote.</summary>
    public int Run(NpgsqlCommand command, bool isApart)
    {
        Send(Before(isApart));
        using (command)
        {
            return On(command).ExecuteNonQuery();
        }
    }

    /// <summary>Runs a statement for its rows.</summary>
    public RowScope Read(NpgsqlCommand command, bool isApart)
    {
        Send(Before(isApart));
        return new RowScope(On(command).ExecuteReader(), command);
    }

    /// <summary>Asks several questions together.</summary>
    /// <param name="questions">The questions.</param>
    /// <param name="isApart">Whether no answer depends on what the transaction has noted.</param>
    public void Ask(IReadOnlyList<Question> questions, bool isApart)
    {
        if (questions.Count == 0)
        {
            return;
        }

        Send(Before(isApart));
        foreach (var question in questions)
        {
            using var rows = new RowScope(On(question.Command).ExecuteReader(), question.Command);
            question.Take(rows);
        }
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

    /// <summary>Takes in that threads were locked in the order of their numbers, while the transaction held none.</summary>
    public void NoteLocked(IReadOnlyCollection<long> threads)
    {
        _locked.UnionWith(threads);
        _lastLocked = _locked.Count == 0 ? 0 : _locked.Max();
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

        if (!Names.HasAny && wanted[0] > _lastLocked)
        {
            _lock.Bind(wanted).Run();
            _locked.UnionWith(wanted);
            _lastLocked = wanted[^1];
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

    private void TryLock(long[] threads)
    {
        foreach (var thread in _tryLock.Bind(threads).Numbers())
        {
            _locked.Add(thread);
            _lastLocked = Math.Max(_lastLocked, thread);
        }
    }

    private void Forget()
    {
        _locked.Clear();
        _lastLocked = 0;
        _first.Clear();
        (_isMarked, _lockedAtMark) = (false, null);
        HasSkipped = false;
        Names.Begin();
        foreach (var noted in _noted)
        {
            noted.Forget();
        }
    }

    /// <summary>What goes out before a statement.</summary>
    private List<NpgsqlCommand> Before(bool isApart) => isApart ? First() : Noted();

    private List<NpgsqlCommand> Noted()
    {
        var commands = First();
        var outgoing = new Outgoing(commands);
        foreach (var noted in _noted)
        {
            noted.SendMarked(outgoing);
        }

        if (!_isMarked)
        {
            return commands;
        }

        if (_lockedAtMark is null)
        {
            commands.Add(new NpgsqlCommand("SAVEPOINT batch"));
            _lockedAtMark = [.. _locked];
            Names.Mark();
        }

        foreach (var noted in _noted)
        {
            noted.SendRest(outgoing);
        }

        return commands;
    }

    private List<NpgsqlCommand> First()
    {
        var commands = new List<NpgsqlCommand>();
        foreach (var command in _first)
        {
            commands.Add(new NpgsqlCommand(command));
            _isOpen = true;
        }

        _first.Clear();
        return commands;
    }

    private void Send(List<NpgsqlCommand> commands)
    {
        Exchanges++;
        foreach (var command in commands)
        {
            using (command)
            {
                On(command).ExecuteNonQuery();
            }
        }
    }

    private NpgsqlCommand On(NpgsqlCommand command)
    {
        command.Connection = _connection;
        return command;
    }
}
