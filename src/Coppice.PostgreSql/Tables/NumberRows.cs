namespace Coppice.PostgreSql;

/// <summary>
/// Where numbers come from. Those of tasks come in blocks, taken before a transaction begins, and those of claims in small ones that serve the next transaction
/// too; what is left of a block when the process ends is a gap. Revisions and turns, which say what came before what, are taken under the transaction's locks,
/// as many at a time as it is likely to need; what it does not need is a gap.
/// </summary>
internal sealed class NumberRows(WriterConnection connection) : INumbers
{
    /// <summary>How many numbers of tasks are taken at a time.</summary>
    public const int Block = 1024;

    private const int MostClaims = 32;
    private const int Few = 32;

    private readonly Statement _take = connection.Prepare("UPDATE {schema}.meta SET next_task = next_task + $1 RETURNING next_task, restored_through");
    private readonly Statement _pass = connection.Prepare(
        "UPDATE {schema}.meta SET next_task = greatest(next_task, $1 + 1), restored_through = greatest(restored_through, $1)");

    private readonly Statement _facts = connection.PrepareApart(
        """
        SELECT pg_current_xact_id()::text::bigint, restored_through, ARRAY(SELECT nextval('{schema}.revisions') FROM generate_series(1, $1)),
            ARRAY(SELECT nextval('{schema}.turns') FROM generate_series(1, $2))
        FROM {schema}.meta
        """);

    private readonly Statement _peekClaim = connection.PrepareApart("SELECT last_value + is_called::integer FROM {schema}.claims");
    private readonly Statement _claims = connection.PrepareApart("SELECT nextval('{schema}.claims') FROM generate_series(1, $1)");
    private readonly Statement _turns = connection.PrepareApart("SELECT nextval('{schema}.turns') FROM generate_series(1, $1)");
    private readonly Statement _revisions = connection.PrepareApart("SELECT nextval('{schema}.revisions') FROM generate_series(1, $1)");
    private readonly Statement _epoch = connection.PrepareApart("SELECT nextval('{schema}.epochs')");
    private readonly Queue<long> _claim = [];
    private readonly Queue<long> _turn = [];
    private readonly Queue<long> _revision = [];
    private long? _nextClaim;
    private int _claimsGiven;
    private long _next;
    private long _end;

    /// <summary>Gets the id of the transaction, by which it can be looked up.</summary>
    public long? TransactionId { get; private set; }

    /// <summary>
    /// Has numbers at hand for a transaction that is about to begin, so that it need not take any while it holds locks. That the database may lose
    /// the taking when it crashes does no harm: whatever was stored under these numbers is written to its log after it.
    /// </summary>
    public void Reserve(int tasks)
    {
        if (_end - _next < tasks)
        {
            Take(Math.Max(Block, tasks));
        }
    }

    /// <summary>
    /// Asks for the transaction's id and numbers, once it has its locks, and lets go of what a snapshot may have brought since the block was taken.
    /// </summary>
    public Question Ask(int revisions, int turns) => _facts.Bind(revisions).Bind(turns).Ask(rows =>
    {
        rows.Next();
        TransactionId = rows.Number(0);
        _next = Math.Max(_next, Math.Min(_end, rows.Number(1) + 1));
        Fill(_revision, rows.NumberArray(2));
        Fill(_turn, rows.NumberArray(3));
    });

    /// <summary>Asks for the number that the next claim gets.</summary>
    public Question AskClaim() => _peekClaim.Ask(rows => _nextClaim = rows.Next() ? rows.Number(0) : null);

    /// <summary>Lets go of what only the transaction may use.</summary>
    public void Forget()
    {
        TransactionId = null;
        (_nextClaim, _claimsGiven) = (null, 0);
        _revision.Clear();
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

    public long NextRevision()
    {
        FillFrom(_revision, _revisions, Few);
        return _revision.Dequeue();
    }

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
        using var rows = _take.Bind(count).Rows();
        rows.Next();
        _end = rows.Number(0);
        _next = Math.Max(_end - count, rows.Number(1) + 1);
    }
}
