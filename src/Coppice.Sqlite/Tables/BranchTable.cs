namespace Coppice.Sqlite;

/// <summary>The writer's statements on branches.</summary>
internal sealed class BranchTable(Connection connection) : IBranchRows
{
    private readonly Statement _find = connection.Prepare("SELECT parent, owner, ended, name, run_id FROM branches WHERE n = ?");
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

    public bool HasEveryLiveTask => false;

    public BranchRow? Find(long number)
    {
        if (IsEmpty())
        {
            return null;
        }

        using var rows = _find.Bind(number).Rows();
        return rows.Next() ? Read(number, rows) : null;
    }

    public BranchRow? OfTask(long number)
    {
        using var rows = _task.Bind(number).Rows();
        return rows.Next() ? Read(number, rows) : null;
    }

    public void Add(in BranchRow row)
    {
        var runId = row.Parent is null ? row.RunId : null;
        _add.Bind(row.Number).Bind(row.Parent).Bind(row.Owner).Bind(row.HasEnded ? 1 : 0).Bind(row.Name).Bind(runId).Run();
        _isEmpty = false;
    }

    public void SetEnded(long number) => _end.Bind(number).Run();

    public void Remove(long number)
    {
        _remove.Bind(number).Run();
        _isEmpty = null;
    }

    /// <summary>Lets go of what is in memory, because the table has been set back.</summary>
    public void Forget() => _isEmpty = null;

    public bool HasChild(long number) => !IsEmpty() && _hasChild.Bind(number).Scalar() is not null;

    public void AddChildren(long number, ICollection<long> numbers) => _children.Bind(number).AddTo(numbers);

    public void AddEndedOf(long owner, ICollection<long> numbers) => _ended.Bind(owner).AddTo(numbers);

    public void AddRootsOf(string runId, ICollection<long> numbers) => _roots.Bind(runId).AddTo(numbers);

    private static BranchRow Read(long number, Statement.RowScope row) =>
        new(number, row.NumberOrNull(0), row.Number(1), row.Number(2) != 0, row.TextOrNull(3), row.TextOrNull(4));

    private bool IsEmpty() => _isEmpty ??= _any.Scalar() is null;
}
