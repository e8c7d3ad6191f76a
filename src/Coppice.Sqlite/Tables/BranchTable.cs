namespace Coppice.Sqlite;

/// <summary>Which tasks a tree or a run reaches: the live ones, and the ended ones with something live below.</summary>
internal sealed class BranchTable(Connection connection)
{
    private readonly Statement _find = connection.Prepare("SELECT parent, ended FROM branches WHERE n = ?");
    private readonly Statement _task = connection.Prepare("SELECT parent, owner, state >= 3, name, run_id FROM tasks WHERE n = ?");
    private readonly Statement _add = connection.Prepare(
        "INSERT INTO branches (n, parent, owner, ended, name, run_id) VALUES (?, ?, ?, ?, ?, ?)");

    private readonly Statement _end = connection.Prepare("UPDATE branches SET ended = 1 WHERE n = ?");
    private readonly Statement _remove = connection.Prepare("DELETE FROM branches WHERE n = ?");
    private readonly Statement _hasChild = connection.Prepare("SELECT 1 FROM branches WHERE parent = ? LIMIT 1");
    private readonly Statement _children = connection.Prepare("SELECT n FROM branches WHERE parent = ?");
    private readonly Statement _ended = connection.Prepare("SELECT n FROM branches WHERE owner = ? AND ended = 1");
    private readonly Statement _any = connection.Prepare("SELECT 1 FROM branches LIMIT 1");
    private readonly Statement _roots = connection.Prepare("SELECT n FROM branches WHERE run_id = ?");

    // Most tasks hang on nothing, and then there is nothing to look up. Null where it is not known.
    private bool? _isEmpty;

    /// <summary>Takes in a task that was just spawned, if it hangs on anything.</summary>
    public void Spawned(long number, long owner, long? parent, string? name, string? runId)
    {
        // A task may have named this one as its parent before there was one of that id.
        if (parent is null && runId is null && !HasChild(number))
        {
            return;
        }

        Add(number, parent, owner, ended: false, name, runId);
        Lift(parent);
    }

    /// <summary>Takes in a restored, ended task when something live already named it as its parent.</summary>
    public void Restored(long number)
    {
        if (HasChild(number))
        {
            Lift(number);
        }
    }

    /// <summary>Lets go of a task that ended, and of the ended ancestors that it alone kept.</summary>
    public void Ended(long number)
    {
        if (!Contains(number))
        {
            return;
        }

        if (HasChild(number))
        {
            _end.Bind(number).Run();
            return;
        }

        long? next = number;
        var first = true;
        while (next is { } task && Find(task, out var parent, out var ended) && (first || (ended && !HasChild(task))))
        {
            Remove(task);
            next = parent;
            first = false;
        }
    }

    public void Remove(long number)
    {
        _remove.Bind(number).Run();
        _isEmpty = null;
    }

    /// <summary>Lets go of what is in memory, because the table has been set back.</summary>
    public void Forget() => _isEmpty = null;

    public void AddChildren(long number, ICollection<long> numbers) => _children.Bind(number).AddTo(numbers);

    public void AddEndedOf(long owner, ICollection<long> numbers) => _ended.Bind(owner).AddTo(numbers);

    public void AddRootsOf(string runId, ICollection<long> numbers) => _roots.Bind(runId).AddTo(numbers);

    /// <summary>Puts a task and its ancestors on the branch, up to the first that is there already; a cycle ends where it began.</summary>
    private void Lift(long? number)
    {
        while (number is { } task && !Contains(task))
        {
            long? parent;
            long owner;
            bool ended;
            string? name, runId;
            using (var rows = _task.Bind(task).Rows())
            {
                if (!rows.Next())
                {
                    return;
                }

                (parent, owner, ended) = (rows.NumberOrNull(0), rows.Number(1), rows.Number(2) != 0);
                (name, runId) = (rows.TextOrNull(3), rows.TextOrNull(4));
            }

            Add(task, parent, owner, ended, name, runId);
            number = parent;
        }
    }

    private void Add(long number, long? parent, long owner, bool ended, string? name, string? runId)
    {
        _add.Bind(number).Bind(parent).Bind(owner).Bind(ended ? 1 : 0).Bind(name).Bind(parent is null ? runId : null).Run();
        _isEmpty = false;
    }

    private bool IsEmpty() => _isEmpty ??= _any.Scalar() is null;

    private bool Contains(long number) => !IsEmpty() && Find(number, out _, out _);

    private bool HasChild(long number) => !IsEmpty() && _hasChild.Bind(number).Scalar() is not null;

    private bool Find(long number, out long? parent, out bool ended)
    {
        using var rows = _find.Bind(number).Rows();
        var found = rows.Next();
        parent = found ? rows.NumberOrNull(0) : null;
        ended = found && rows.Number(1) != 0;
        return found;
    }
}
