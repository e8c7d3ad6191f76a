namespace Coppice.Sqlite;

/// <summary>The writer's statements on tasks.</summary>
internal sealed class TaskTable(Connection connection)
{
    private const string HeadColumns =
        "n, owner, state, cancel_ms, parent, host_epoch, events_through, agent_thread, agent_open";

    private readonly Statement _head = connection.Prepare($"SELECT {HeadColumns} FROM tasks WHERE n = ?");
    private readonly Statement _snapshot = connection.Prepare($"SELECT {TaskRow.Columns} FROM tasks t WHERE t.n = ?");
    private readonly Statement _liveName = connection.Prepare("SELECT 1 FROM tasks WHERE owner = ? AND name = ? AND state < 3");
    private readonly Statement _liveOf = connection.Prepare("SELECT n FROM tasks INDEXED BY tasks_live WHERE owner = ? AND state < 3");
    private readonly Statement _live = connection.Prepare("SELECT n, host_epoch FROM tasks INDEXED BY tasks_live WHERE state < 3 ORDER BY host_epoch, n");
    private readonly Statement _add = connection.Prepare(
        """
        INSERT INTO tasks (n, owner, state, created_ms, completed_ms, cancel_ms, parent, host_epoch, agent_thread, agent_open,
            type, name, run_id, call_id, agent_id, cancelled_by, description, error, result)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """);

    private readonly Statement _move = connection.Prepare("UPDATE tasks SET state = ? WHERE n = ?");
    private readonly Statement _end = connection.Prepare(
        "UPDATE tasks SET state = ?, completed_ms = ?, error = ?, result = ?, agent_open = 0 WHERE n = ?");

    private readonly Statement _cancel = connection.Prepare("UPDATE tasks SET cancel_ms = ?, cancelled_by = ? WHERE n = ?");
    private readonly Statement _events = connection.Prepare("UPDATE tasks SET events_through = ? WHERE n = ?");
    private readonly Statement _closeAgent = connection.Prepare("UPDATE tasks SET agent_open = 0 WHERE n = ?");
    private readonly Statement _prune = connection.Prepare(
        """
        DELETE FROM tasks WHERE state >= 3 AND coalesce(completed_ms, created_ms) < ?
            AND NOT EXISTS (SELECT 1 FROM branches b WHERE b.n = tasks.n)
        """);

    private readonly Statement _pruneCandidates = connection.Prepare(
        """
        SELECT t.n FROM branches b JOIN tasks t ON t.n = b.n
        WHERE b.ended = 1 AND coalesce(t.completed_ms, t.created_ms) < ?
        """);

    private readonly Statement _remove = connection.Prepare("DELETE FROM tasks WHERE n = ?");

    public TaskHead? Head(long number)
    {
        using var rows = _head.Bind(number).Rows();
        return rows.Next()
            ? new TaskHead(
                rows.Number(0), rows.Number(1), (TaskState)rows.Number(2), !rows.IsNull(3), rows.NumberOrNull(4),
                rows.Number(5), rows.Number(6), rows.NumberOrNull(7), rows.Number(8) != 0)
            : null;
    }

    public TaskSnapshot Snapshot(long number)
    {
        using var rows = _snapshot.Bind(number).Rows();
        rows.Next();
        return TaskRow.Read(rows);
    }

    public bool HasLiveName(long owner, string name) => _liveName.Bind(owner).Bind(name).Scalar() is not null;

    public void AddLiveOf(long owner, ICollection<long> numbers)
    {
        using var rows = _liveOf.Bind(owner).Rows();
        while (rows.Next())
        {
            numbers.Add(rows.Number(0));
        }
    }

    /// <summary>The live tasks of the hosts asked for, host by host, in the order of their numbers.</summary>
    public List<long> LiveOfHosts(Func<long, bool> isAsked)
    {
        var numbers = new List<long>();
        using var rows = _live.Rows();
        while (rows.Next())
        {
            if (isAsked(rows.Number(1)))
            {
                numbers.Add(rows.Number(0));
            }
        }

        return numbers;
    }

    public void Add(long number, long owner, AddTask task, DateTimeOffset createdAt, long? parent, long hostEpoch, long? agentThread) =>
        _add.Bind(number).Bind(owner).Bind((long)task.State).Bind(createdAt).Bind((long?)null).Bind((long?)null).Bind(parent)
            .Bind(hostEpoch).Bind(agentThread).Bind(agentThread is null ? 0 : 1)
            .Bind(task.Type).Bind(task.Name).Bind(task.Lineage.RunId).Bind(task.Lineage.CallId).Bind(task.Lineage.AgentId)
            .Bind((string?)null).Bind(task.Description).Bind((string?)null).Bind((string?)null)
            .Run();

    public void Add(long number, long owner, TaskSnapshot task, long? parent) =>
        _add.Bind(number).Bind(owner).Bind((long)task.State).Bind(task.CreatedAt).Bind(task.CompletedAt).Bind(task.CancelRequestedAt).Bind(parent)
            .Bind(0).Bind((long?)null).Bind(0)
            .Bind(task.Type).Bind(task.Name).Bind(task.Lineage.RunId).Bind(task.Lineage.CallId).Bind(task.Lineage.AgentId)
            .Bind(task.CancelledBy).Bind(task.Description).Bind(task.Error).Bind(task.Result?.GetRawText())
            .Run();

    public void Move(long number, TaskState state) => _move.Bind((long)state).Bind(number).Run();

    public void End(long number, TaskState state, DateTimeOffset time, string? error, string? resultJson) =>
        _end.Bind((long)state).Bind(time).Bind(error).Bind(resultJson).Bind(number).Run();

    public void RequestCancel(long number, DateTimeOffset time, string by) => _cancel.Bind(time).Bind(by).Bind(number).Run();

    public void SetEventsThrough(long number, long through) => _events.Bind(through).Bind(number).Run();

    public void CloseAgentInbox(long number) => _closeAgent.Bind(number).Run();

    /// <summary>Forgets what ended before a time and is on no branch.</summary>
    public int Prune(DateTimeOffset endedBefore)
    {
        var before = connection.TotalChanges;
        _prune.Bind(endedBefore).Run();
        return connection.TotalChanges - before;
    }

    /// <summary>What ended before a time and is still on a branch.</summary>
    public List<long> PruneCandidates(DateTimeOffset endedBefore)
    {
        var numbers = new List<long>();
        using var rows = _pruneCandidates.Bind(endedBefore).Rows();
        while (rows.Next())
        {
            numbers.Add(rows.Number(0));
        }

        return numbers;
    }

    public void Remove(long number) => _remove.Bind(number).Run();
}
