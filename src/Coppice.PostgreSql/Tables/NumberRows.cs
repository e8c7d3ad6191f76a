namespace Coppice.PostgreSql;

/// <summary>
/// Where numbers come from. Those of tasks come in blocks, taken before a transaction begins, and those of claims in small ones that serve the next transaction
/// too; what is left of a block when the process ends is a gap. Turns, which say what came before what, are taken under the transaction's locks, as many at a
/// time as it is likely to need; what it does not need is a gap. So is its revision, of which each batch of the transaction gets a part.
/// </summary>
internal sealed class NumberRows(WriterConnection connection) : INumbers
{
    /// <summary>How many numbers of tasks are taken at a time.</summary>
    public const int Block = 1024;

    /// <summary>How many batches a revision of the sequence serves.</summary>
    public const int Revisions = 1024;

    private const int MostClaims = 32;
    private const int Few = 32;

    private readonly Statement _take = connection.Prepare("UPDATE {schema}.meta SET next_task = next_task + $1 RETURNING next_task, restored_through, facts");
    private readonly Statement _pass = connection.Prepare(
        "UPDATE {schema}.meta SET next_task = greatest(next_task, $1 + 1), restored_through = greatest(restored_through, $1)");

    private readonly Statement _facts = connection.PrepareApart(
        """
        SELECT nextval('{schema}.revisions'), restored_through, facts, ARRAY(SELECT nextval('{schema}.turns') FROM generate_series(1, $1)) FROM {schema}.meta
        """);

    private readonly Statement _peekClaim = connection.PrepareApart("SELECT last_value + is_called::integer FROM {schema}.claims");
    private readonly Statement _claims = connection.PrepareApart("SELECT nextval('{schema}.claims') FROM generate_series(1, $1)");
    private readonly Statement _turns = connection.PrepareApart("SELECT nextval('{schema}.turns') FROM generate_series(1, $1)");
    private readonly Statement _awaitedChildren = connection.PrepareApart("SELECT DISTINCT parent FROM {schema}.branches WHERE parent >= $1 AND parent < $2");
    private readonly Statement _newRevision = connection.PrepareApart("SELECT nextval('{schema}.revisions')");
    private readonly Statement _epoch = connection.PrepareApart("SELECT nextval('{schema}.epochs')");
    private readonly Queue<long> _claim = [];
    private readonly Queue<long> _turn = [];
    private readonly HashSet<long> _awaited = [];
    private long? _nextClaim;
    private int _claimsGiven;
    private long _next;
    private long _end;
    private long _revision;
    private bool _knowsAwaited;

    /// <summary>Gets the last number that a snapshot has brought, as it was last read.</summary>
    public long RestoredThrough { get; private set; } = -1;

    /// <summary>Gets the state of what is known of threads without their locks, as it was last read.</summary>
    public long Facts { get; private set; } = -1;

    /// <summary>
    /// Has numbers at hand for a transaction that is about to begin, so that it need not take any while it holds locks. That the database may lose
    /// the taking when it crashes does no harm: whatever was stored under these numbers is written to its log after it.
    /// </summary>
    public void Reserve(int tasks)
    {
        if (!HasAtHand(tasks))
        {
            Take(Math.Max(Block, tasks));
        }
    }

    /// <summary>Whether so many numbers are at hand.</summary>
    public bool HasAtHand(int tasks) => _end - _next >= tasks;

    /// <summary>Whether something may hang on a task already that has just got its number: who names a parent may guess it.</summary>
    public bool IsAwaited(long task) => !_knowsAwaited || _awaited.Contains(task);

    /// <summary>
    /// Asks for the transaction's numbers, once it has its locks, and lets go of what a snapshot may have brought since the block was taken.
    /// </summary>
    public Question Ask(int turns) => _facts.Bind(turns).Ask(rows =>
    {
        rows.Next();
        _revision = RevisionOf(rows.Number(0));
        RestoredThrough = rows.Number(1);
        _next = Math.Max(_next, Math.Min(_end, RestoredThrough + 1));
        SeeFacts(rows.Number(2));
        Fill(_turn, rows.NumberArray(3));
    });

    /// <summary>Asks for the number that the next claim gets.</summary>
    public Question AskClaim() => _peekClaim.Ask(rows => _nextClaim = rows.Next() ? rows.Number(0) : null);

    /// <summary>Lets go of what only the transaction may use.</summary>
    public void Forget()
    {
        _revision = 0;
        (_nextClaim, _claimsGiven) = (null, 0);
        _turn.Clear();
    }

    /// <summary>Lets go of the block, of which somebody else has used a number.</summary>
    public void Drop() => (_next, _end) = (0, 0);

    public long NextTask()
    {
        if (_next == _end)
        {
            Take(Block);
        }

        return _next++;
    }

    public void PassTask(long number)
    {
        _pass.Bind(number).Note();
        _next = Math.Max(_next, Math.Min(_end, number + 1));
    }

    // Not taken: a claim that finds nothing shall not count. Beside claims of other hosts it may be one of theirs by the time this one is made.
    public long PeekClaim() => _claim.TryPeek(out var next) ? next : _nextClaim ??= _peekClaim.Scalar()!.Value;

    /// <inheritdoc/>
    /// <remarks>
    /// They count for whose turn it is, so no more are taken than are likely to be given: as many as the transaction was given before. What is left serves the
    /// next one.
    /// </remarks>
    public long NextClaim()
    {
        if (_claim.Count == 0)
        {
            Fill(_claim, _claims.Bind(Math.Clamp(_claimsGiven, 1, MostClaims)).Numbers());
        }

        var claim = _claim.Dequeue();
        _claimsGiven++;
        _nextClaim = claim + 1;
        return claim;
    }

    public long NextTurn()
    {
        FillFrom(_turn, _turns, Few);
        return _turn.Dequeue();
    }

    /// <inheritdoc/>
    /// <remarks>In a transaction that began ahead they begin at 0, and are raised by what <see cref="RevisionOf"/> gives when it has landed.</remarks>
    public long NextRevision() => _revision++;

    /// <summary>The first revision of a transaction that comes after all others.</summary>
    public long NewRevision() => RevisionOf(_newRevision.Scalar()!.Value);

    /// <summary>The first revision of a transaction that got one of the sequence.</summary>
    public static long RevisionOf(long number) => number * Revisions;

    public long NextEpoch() => _epoch.Scalar()!.Value;

    private static void FillFrom(Queue<long> queue, Statement more, int count)
    {
        if (queue.Count == 0)
        {
            Fill(queue, more.Bind(count).Numbers());
        }
    }

    private static void Fill(Queue<long> queue, IReadOnlyList<long> numbers)
    {
        foreach (var number in numbers)
        {
            queue.Enqueue(number);
        }
    }

    private void Take(int count)
    {
        using (var rows = _take.Bind(count).Rows())
        {
            rows.Next();
            _end = rows.Number(0);
            _next = Math.Max(_end - count, rows.Number(1) + 1);
            SeeFacts(rows.Number(2));
        }

        // After the state was read: what comes later changes that.
        _awaited.Clear();
        _awaited.UnionWith(_awaitedChildren.Bind(_next).Bind(_end).Numbers());
        _knowsAwaited = true;
    }

    private void SeeFacts(long facts)
    {
        if (facts != Facts)
        {
            // Among what changed may be who names which parents.
            Facts = facts;
            _knowsAwaited = false;
            connection.Facts.ForgetTasks();
        }
    }
}
