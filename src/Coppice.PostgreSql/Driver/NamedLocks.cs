namespace Coppice.PostgreSql;

/// <summary>
/// The locks of a transaction that are of no thread, by their names, until it ends. In the order of locks they come after all threads: a transaction that
/// has one waits for no thread any more. Among themselves they have no order, so whoever has one already had better only try.
/// </summary>
internal sealed class NamedLocks(Func<string, Statement> prepare)
{
    private readonly Statement _wait = prepare("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))");
    private readonly Statement _try = prepare("SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0))");
    private readonly Statement _share = prepare("SELECT pg_advisory_xact_lock_shared(hashtextextended($1, 0))");
    private readonly HashSet<string> _held = [];
    private readonly HashSet<string> _shared = [];
    private string[] _heldAtMark = [];
    private string[] _sharedAtMark = [];

    /// <summary>Gets whether the transaction has one of its own.</summary>
    public bool HasOwn => _held.Count > 0;

    /// <summary>Gets whether the transaction has one, be it with others.</summary>
    public bool HasAny => HasOwn || _shared.Count > 0;

    /// <summary>Whether the transaction has a lock, be it with others.</summary>
    public bool Has(string name) => _held.Contains(name) || _shared.Contains(name);

    /// <summary>Has a lock alone from here on, for which it waits.</summary>
    public void Wait(string name)
    {
        if (!_held.Contains(name))
        {
            _wait.Bind(name).Run();
            _held.Add(name);
        }
    }

    /// <summary>Has a lock alone from here on, if nobody else has it.</summary>
    public bool Try(string name)
    {
        if (_held.Contains(name))
        {
            return true;
        }

        using (var rows = _try.Bind(name).Rows())
        {
            if (!rows.Next() || !rows.Flag(0))
            {
                return false;
            }
        }

        return _held.Add(name);
    }

    /// <summary>Has a lock with all others who share it from here on, and waits for whoever has it alone.</summary>
    public void Share(string name)
    {
        if (!Has(name))
        {
            _share.Bind(name).Run();
            _shared.Add(name);
        }
    }

    /// <summary>Shares a lock, as <see cref="Share"/> does, together with what else is asked.</summary>
    public Question AskShare(string name) => _share.Bind(name).Ask(_ => _shared.Add(name));

    /// <summary>Takes in that a transaction begins.</summary>
    public void Begin()
    {
        _held.Clear();
        _shared.Clear();
    }

    /// <summary>Takes in that the transaction makes its mark.</summary>
    public void Mark()
    {
        _heldAtMark = [.. _held];
        _sharedAtMark = [.. _shared];
    }

    /// <summary>Takes in that the transaction went back to its mark, and lost the locks that it took since.</summary>
    public void RollbackToMark()
    {
        Begin();
        _held.UnionWith(_heldAtMark);
        _shared.UnionWith(_sharedAtMark);
    }
}
