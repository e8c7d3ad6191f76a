namespace Coppice.PostgreSql;

/// <summary>
/// The writer's statements on branches. Every live task has a row here, put in with the task, whether it hangs on anything or not; a task that has
/// ended has one while something live hangs on it.
/// </summary>
internal sealed class BranchRows(WriterConnection connection, TaskOwners owners) : IBranchRows
{
    private readonly Statement _find = connection.Prepare(
        "SELECT parent, ended, name, run_id FROM {schema}.branches WHERE owner_thread_id = $1 AND n = $2");

    private readonly Statement _task = connection.Prepare(
        "SELECT parent, state >= 3, name, run_id FROM {schema}.tasks WHERE owner_thread_id = $1 AND n = $2");

    private readonly Statement _add = connection.Prepare(
        """
        INSERT INTO {schema}.branches (owner_thread_id, n, parent, parent_owner, ended, name, run_id) VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (owner_thread_id, n) DO NOTHING
        """);

    private readonly Statement _end = connection.Prepare(
        "UPDATE {schema}.branches SET ended = true, host_epoch = NULL WHERE owner_thread_id = $1 AND n = $2");

    private readonly Statement _remove = connection.Prepare("DELETE FROM {schema}.branches WHERE owner_thread_id = $1 AND n = $2");
    private readonly Statement _hasChild = connection.Prepare("SELECT 1 FROM {schema}.branches WHERE parent = $1 LIMIT 1");
    private readonly Statement _children = connection.Prepare("SELECT n FROM {schema}.branches WHERE parent = $1");
    private readonly Statement _endedOf = connection.Prepare("SELECT n FROM {schema}.branches WHERE owner_thread_id = $1 AND ended");
    private readonly Statement _roots = connection.Prepare("SELECT n FROM {schema}.branches WHERE run_id = $1");

    public BranchRow? Find(long number) => Read(_find, number);

    public BranchRow? OfTask(long number) => Read(_task, number);

    public void Add(in BranchRow row)
    {
        connection.Lock(row.Owner);
        _add.Bind(row.Owner).Bind(row.Number).Bind(row.Parent).Bind(row.Parent is { } parent ? owners.Of(parent) : null).Bind(row.HasEnded)
            .Bind(row.Name).Bind(row.Parent is null ? row.RunId : null).Run();
    }

    public void SetEnded(long number)
    {
        if (Lock(number) is { } owner)
        {
            _end.Bind(owner).Bind(number).Run();
        }
    }

    public void Remove(long number)
    {
        if (Lock(number) is { } owner)
        {
            _remove.Bind(owner).Bind(number).Run();
        }
    }

    public bool HasChild(long number) => _hasChild.Bind(number).Scalar() is not null;

    public void AddChildren(long number, ICollection<long> numbers) => Collect(_children.Bind(number), numbers);

    public void AddEndedOf(long owner, ICollection<long> numbers)
    {
        connection.Lock(owner);
        Collect(_endedOf.Bind(owner), numbers);
    }

    public void AddRootsOf(string runId, ICollection<long> numbers) => Collect(_roots.Bind(runId), numbers);

    private static void Collect(Statement statement, ICollection<long> numbers)
    {
        foreach (var number in statement.Numbers())
        {
            numbers.Add(number);
        }
    }

    private BranchRow? Read(Statement statement, long number)
    {
        if (Lock(number) is not { } owner)
        {
            return null;
        }

        using var rows = statement.Bind(owner).Bind(number).Rows();
        return rows.Next() ? new BranchRow(number, rows.NumberOrNull(0), owner, rows.Flag(1), rows.TextOrNull(2), rows.TextOrNull(3)) : null;
    }

    private long? Lock(long number)
    {
        if (owners.Of(number) is not { } owner)
        {
            return null;
        }

        connection.Lock(owner);
        return owner;
    }
}
