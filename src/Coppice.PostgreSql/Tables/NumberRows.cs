namespace Coppice.PostgreSql;

/// <summary>
/// Where numbers come from. Those of tasks come in blocks, taken before a transaction begins; what is left of a block when the process ends is a gap.
/// All others come one by one from their sequences.
/// </summary>
internal sealed class NumberRows(WriterConnection connection) : INumbers
{
    /// <summary>How many numbers of tasks are taken at a time.</summary>
    public const int Block = 1024;

    private readonly Statement _take = connection.Prepare("UPDATE {schema}.meta SET next_task = next_task + $1 RETURNING next_task, restored_through");
    private readonly Statement _restored = connection.Prepare("SELECT restored_through FROM {schema}.meta");
    private readonly Statement _pass = connection.Prepare(
        "UPDATE {schema}.meta SET next_task = greatest(next_task, $1 + 1), restored_through = greatest(restored_through, $1)");

    private readonly Statement _peekClaim = connection.Prepare("SELECT last_value + is_called::integer FROM {schema}.claims");
    private readonly Statement _claim = connection.Prepare("SELECT nextval('{schema}.claims')");
    private readonly Statement _turn = connection.Prepare("SELECT nextval('{schema}.turns')");
    private readonly Statement _revision = connection.Prepare("SELECT nextval('{schema}.revisions')");
    private readonly Statement _epoch = connection.Prepare("SELECT nextval('{schema}.epochs')");
    private long _next;
    private long _end;

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

    /// <summary>Lets go of what a snapshot may have brought since the block was taken. Asked once the transaction has its locks.</summary>
    public void Begin()
    {
        _next = Math.Max(_next, Math.Min(_end, _restored.Scalar()!.Value + 1));
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
        _pass.Bind(number).Run();
        _next = Math.Max(_next, Math.Min(_end, number + 1));
    }

    // Not taken: a claim that finds nothing shall not count. Beside claims of other hosts it may be one of theirs by the time this one is made.
    public long PeekClaim() => _peekClaim.Scalar()!.Value;

    public long NextClaim() => _claim.Scalar()!.Value;

    public long NextTurn() => _turn.Scalar()!.Value;

    public long NextRevision() => _revision.Scalar()!.Value;

    public long NextEpoch() => _epoch.Scalar()!.Value;

    private void Take(int count)
    {
        using var rows = _take.Bind(count).Rows();
        rows.Next();
        _end = rows.Number(0);
        _next = Math.Max(_end - count, rows.Number(1) + 1);
    }
}
