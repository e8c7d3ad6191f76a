using Npgsql;

namespace Coppice.PostgreSql;

/// <summary>A connection that writes, with one transaction at a time, the locks that it holds, and what it is going to write.</summary>
/// <remarks>
/// <para>
/// What is written is noted and sent together with the commit, or before a statement whose answer may depend on it. The transaction begins with the first
/// statement that is sent, and a mark is made only when something that comes after it is.
/// </para>
/// <para>
/// A transaction that begins ahead sends nothing before its commit: it relies on what is known of the threads that it would lock, and takes the locks and
/// writes, if that still holds, with one statement.
/// </para>
/// <para>
/// What goes out together goes out as one statement: Npgsql 10 sends several at once, from a thread that waits, only with the help of the thread pool, and
/// what writes must never depend on that.
/// </para>
/// </remarks>
internal sealed class WriterConnection : IDisposable
{
    private const string LockSql = "FROM {schema}.threads t WHERE owner_thread_id = ANY ($1) ORDER BY owner_thread_id FOR NO KEY UPDATE";

    private readonly NpgsqlConnection _connection;
    private readonly string _schema;
    private readonly Composer _composer;
    private readonly HashSet<long> _locked = [];
    private readonly HashSet<long> _changed = [];
    private readonly HashSet<long> _written = [];
    private readonly List<long> _writtenSinceMark = [];
    private readonly List<INoted> _noted = [];
    private readonly NotedStatements _statements = new();
    private readonly Outgoing _outgoing = new();
    private readonly WriteText _touch;
    private readonly Statement _lock;
    private readonly Statement _tryLock;
    private readonly Statement _changeFacts;
    private long _lastLocked;
    private HashSet<long>? _lockedAtMark;
    private bool _isDue;
    private bool _isBegun;
    private bool _isMarked;
    private bool _isReleaseDue;

    public WriterConnection(Database database)
    {
        _connection = database.Open();
        _schema = database.Schema;
        _composer = new Composer(_schema);
        _lock = PrepareApart($"SELECT owner_thread_id, version {LockSql}");
        _tryLock = PrepareApart($"SELECT owner_thread_id, version {LockSql} SKIP LOCKED");
        _touch = new WriteText((first, condition) => InSchema(
            $"UPDATE {{schema}}.threads SET version = version + 1 WHERE owner_thread_id = ANY ({WriteText.Place(first)}){condition}"));
        _changeFacts = Prepare("UPDATE {schema}.meta SET facts = facts + 1");
        Names = new NamedLocks(PrepareApart);
        _noted.Add(_statements);
    }

    /// <summary>Gets the schema of the store.</summary>
    public string Schema => _schema;

    /// <summary>Gets whether the connection is there, as far as is known before it is used.</summary>
    public bool IsOpen => _connection.State == System.Data.ConnectionState.Open;

    /// <summary>Gets how often something was sent.</summary>
    public long Exchanges { get; private set; }

    /// <summary>Gets whether the transaction has begun ahead.</summary>
    public bool IsAhead { get; private set; }

    /// <summary>Gets whether something was left out because others had it locked.</summary>
    public bool HasSkipped { get; private set; }

    /// <summary>Gets the locks of the transaction that are of no thread.</summary>
    public NamedLocks Names { get; }

    /// <summary>Gets what is known of threads.</summary>
    public FactMemory Facts { get; } = new();

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
        _noted.Add(noted);
        return noted;
    }

    /// <summary>Begins a transaction, which holds nothing yet.</summary>
    public void Begin()
    {
        Forget();
        _isDue = true;
    }

    /// <summary>Begins a transaction that relies on what is known.</summary>
    public void BeginAhead()
    {
        Forget();
        IsAhead = true;
    }

    /// <summary>Writes what is noted, with a mark by which the transaction can be looked up if it has one, and commits.</summary>
    public void Commit(CommitMark? mark = null)
    {
        Collect();
        Touch();
        if (mark is { } number)
        {
            Send(Envelope.Marked, Parameter.Of(number.Writer), Parameter.Of(number.Number));
        }
        else
        {
            Send(Envelope.Plain);
        }

        _isDue = false;
        if (_isBegun)
        {
            Execute(new NpgsqlCommand("COMMIT"));
            _isBegun = false;
        }
    }

    /// <summary>Takes the locks of a transaction that began ahead, writes what is noted and commits, all at once, if what it relied on still holds.</summary>
    /// <param name="reliance">On what it relied, beside its threads.</param>
    /// <param name="mark">By what it can be looked up.</param>
    /// <returns>The revision of the transaction; <see langword="null"/> where something has changed, and nothing was written.</returns>
    /// <exception cref="NotAtHandException">Something was noted that can be written only by itself.</exception>
    public long? CommitAhead(in Reliance reliance, CommitMark mark)
    {
        Collect();
        if (_outgoing.Statements.Count > 0)
        {
            throw new NotAtHandException();
        }

        if (_outgoing.Parts.Count == 0)
        {
            _changed.Clear();
        }

        Touch();
        long[] threads = [.. _locked.Order()];
        using var command = _composer.Compose(
            Envelope.Ahead,
            [
                Parameter.Of(reliance.SharedLocks), Parameter.Of(reliance.OpenHosts), Parameter.Of(threads),
                Parameter.Of(Array.ConvertAll(threads, thread => Facts.Of(thread).Version)), Parameter.Of(reliance.RestoredThrough), Parameter.Of(reliance.Facts),
                Parameter.Of(mark.Writer), Parameter.Of(mark.Number),
            ],
            _outgoing.Parts);
        _outgoing.Clear();
        Exchanges++;
        using var rows = On(command).ExecuteReader();
        long? revision = rows.Read() && !rows.IsDBNull(0) ? rows.GetInt64(0) : null;

        // The answer is there before the commit; that it has landed is known only at the end of what the server says.
        while (rows.NextResult())
        {
        }

        return revision;
    }

    /// <summary>The transaction has landed: what is known stays.</summary>
    public void Landed()
    {
        foreach (var thread in _locked)
        {
            Facts.Of(thread).Landed(_changed.Contains(thread));
        }

        _locked.Clear();
        _changed.Clear();
        IsAhead = false;
        Facts.Trim();
    }

    public void Rollback()
    {
        Facts.Drop(_locked);
        Forget();
        if (_isBegun)
        {
            Execute(new NpgsqlCommand("ROLLBACK"));
            _isBegun = false;
        }
    }

    public void Mark()
    {
        foreach (var noted in _noted)
        {
            noted.Mark();
        }

        _writtenSinceMark.Clear();
        (_isMarked, _lockedAtMark) = (true, null);
    }

    public void KeepMark()
    {
        foreach (var noted in _noted)
        {
            noted.Keep();
        }

        _isReleaseDue |= _lockedAtMark is not null;
        (_isMarked, _lockedAtMark) = (false, null);
    }

    /// <summary>Takes back what was done since the mark. Locks that were taken since the mark was sent are gone with it.</summary>
    public void RollbackToMark()
    {
        foreach (var noted in _noted)
        {
            noted.TakeBack();
        }

        _written.ExceptWith(_writtenSinceMark);
        Facts.Forget(_locked);
        if (_lockedAtMark is { } locked)
        {
            Execute(new NpgsqlCommand("ROLLBACK TO SAVEPOINT batch"));
            _isReleaseDue = true;
            Facts.Drop(_locked.Except(locked));
            _locked.IntersectWith(locked);
            _changed.IntersectWith(locked);
            _lastLocked = _locked.Count == 0 ? 0 : _locked.Max();
            Names.RollbackToMark();
        }

        (_isMarked, _lockedAtMark) = (false, null);
    }

    /// <summary>Notes that the transaction changes what may be known of threads whose locks it does not have.</summary>
    public void NoteFactsChanged() => _changeFacts.Note();

    /// <summary>Notes a statement that writes.</summary>
    /// <exception cref="NotAtHandException">The transaction has begun ahead, and can send it only by itself.</exception>
    public void Note(NpgsqlCommand command)
    {
        ThrowIfAhead();
        _statements.Add(command);
    }

    /// <summary>Runs a statement and tells how many rows it wrote.</summary>
    public int Run(NpgsqlCommand command, bool isApart)
    {
        GoBefore(isApart);
        return Execute(command);
    }

    /// <summary>Runs a statement for its rows.</summary>
    public RowScope Read(NpgsqlCommand command, bool isApart)
    {
        GoBefore(isApart);
        Exchanges++;
        return new RowScope(On(command).ExecuteReader(), command);
    }

    /// <summary>Asks several questions, one after the other.</summary>
    /// <param name="questions">The questions.</param>
    /// <param name="isApart">Whether no answer depends on what the transaction has noted.</param>
    public void Ask(IReadOnlyList<Question> questions, bool isApart)
    {
        foreach (var question in questions)
        {
            using var rows = Read(question.Command, isApart);
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

    /// <summary>Holds a thread from here on, and tells what is known of it.</summary>
    /// <exception cref="LocksNeededException">Somebody else holds it, and to wait for it might be to wait for each other.</exception>
    public ThreadFacts Hold(long thread)
    {
        Lock(thread);
        return Facts.Of(thread);
    }

    /// <summary>Holds a thread from here on, because what is known of it changes.</summary>
    /// <exception cref="LocksNeededException">Somebody else holds it, and to wait for it might be to wait for each other.</exception>
    public ThreadFacts Change(long thread)
    {
        var facts = Hold(thread);
        _changed.Add(thread);
        return facts;
    }

    /// <summary>Takes in that the row of a thread is going to be written, with its new version.</summary>
    public void NoteWritten(long thread)
    {
        if (_written.Add(thread) && _isMarked)
        {
            _writtenSinceMark.Add(thread);
        }
    }

    /// <summary>Takes in that a thread was locked, in the order of their numbers, while the transaction held no higher one.</summary>
    /// <param name="thread">The thread.</param>
    /// <param name="version">Its version.</param>
    public void NoteLocked(long thread, long version)
    {
        _locked.Add(thread);
        _lastLocked = Math.Max(_lastLocked, thread);
        Facts.Verify(thread, version);
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

        if (IsAhead)
        {
            RelyOn(wanted);
            return;
        }

        if (!Names.HasAny && wanted[0] > _lastLocked)
        {
            Take(_lock.Bind(wanted));
        }
        else
        {
            Take(_tryLock.Bind(wanted));
            if (wanted.Any(thread => !_locked.Contains(thread)))
            {
                throw new LocksNeededException([.. _locked, .. wanted]);
            }
        }
    }

    /// <summary>Holds those of some threads that nobody else does.</summary>
    /// <returns>Those that this transaction holds now.</returns>
    public HashSet<long> LockFree(IEnumerable<long> threads)
    {
        ThrowIfAhead();
        var all = threads.ToHashSet();
        var wanted = all.Where(thread => !_locked.Contains(thread)).ToArray();
        if (wanted.Length > 0)
        {
            Take(_tryLock.Bind(wanted));
            var count = all.Count;
            all.IntersectWith(_locked);
            HasSkipped |= all.Count < count;
        }

        return all;
    }

    /// <summary>Takes in that something was left out because others had it locked.</summary>
    public void NoteSkipped() => HasSkipped = true;

    public void Dispose() => _connection.Dispose();

    private void RelyOn(long[] threads)
    {
        foreach (var thread in threads)
        {
            if (!Facts.Has(thread))
            {
                throw new NotAtHandException();
            }

            _locked.Add(thread);
        }
    }

    private void Take(Statement locks)
    {
        using var rows = locks.Rows();
        while (rows.Next())
        {
            NoteLocked(rows.Number(0), rows.Number(1));
        }
    }

    private void ThrowIfAhead()
    {
        if (IsAhead)
        {
            throw new NotAtHandException();
        }
    }

    private void Forget()
    {
        _locked.Clear();
        _changed.Clear();
        _written.Clear();
        _lastLocked = 0;
        (_isDue, _isReleaseDue, IsAhead) = (false, false, false);
        (_isMarked, _lockedAtMark) = (false, null);
        HasSkipped = false;
        Names.Begin();
        _outgoing.Clear();
        foreach (var noted in _noted)
        {
            noted.Forget();
        }
    }

    /// <summary>Sends what has to be there before a statement.</summary>
    private void GoBefore(bool isApart)
    {
        ThrowIfAhead();
        if (!isApart)
        {
            Collect();
            Send(Envelope.Plain);
        }
    }

    /// <summary>Collects what is noted and not sent. What came after the mark is kept apart from what was before, unless the mark is gone.</summary>
    private void Collect()
    {
        foreach (var noted in _noted)
        {
            noted.SendMarked(_outgoing);
        }

        if (!_isMarked)
        {
            return;
        }

        Send(Envelope.Plain);
        if (_lockedAtMark is null)
        {
            Execute(new NpgsqlCommand("SAVEPOINT batch"));
            _lockedAtMark = [.. _locked];
            Names.Mark();
        }

        foreach (var noted in _noted)
        {
            noted.SendRest(_outgoing);
        }
    }

    /// <summary>Gives a new version to the threads that changed and whose rows are not written anyway.</summary>
    private void Touch()
    {
        long[] unwritten = [.. _changed.Where(thread => !_written.Contains(thread))];
        if (unwritten.Length > 0)
        {
            _outgoing.Add(_touch, [Parameter.Of(unwritten)]);
        }
    }

    private void Send(Envelope envelope, params ReadOnlySpan<NpgsqlParameter> values)
    {
        if (envelope.Values > 0 || _outgoing.Parts.Count > 0)
        {
            Execute(_composer.Compose(envelope, values, _outgoing.Parts));
        }

        foreach (var statement in _outgoing.Statements)
        {
            Execute(statement);
        }

        _outgoing.Clear();
    }

    private int Execute(NpgsqlCommand command)
    {
        Exchanges++;
        using (command)
        {
            return On(command).ExecuteNonQuery();
        }
    }

    /// <summary>Makes a command ready to be sent, once that was sent which has to be there before it.</summary>
    private NpgsqlCommand On(NpgsqlCommand command)
    {
        if (_isDue)
        {
            (_isDue, _isBegun) = (false, true);
            Execute(new NpgsqlCommand("BEGIN ISOLATION LEVEL READ COMMITTED"));
        }

        if (_isReleaseDue)
        {
            _isReleaseDue = false;
            Execute(new NpgsqlCommand("RELEASE SAVEPOINT batch"));
        }

        command.Connection = _connection;
        return command;
    }
}
