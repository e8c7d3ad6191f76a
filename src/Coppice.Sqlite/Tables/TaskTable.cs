using System.Text.Json;

namespace Coppice.Sqlite;

/// <summary>The writer's statements on tasks. The heads of live tasks are in memory once they were used.</summary>
internal sealed class TaskTable(Connection connection, RecentTasks recent) : ITaskRows
{
    private const int MaxHeads = 16_384;

    /// <summary>Whether a task ended before a time and is on no branch.</summary>
    internal const string IsOld =
        "state >= 3 AND coalesce(completed_ms, created_ms) < ? AND NOT EXISTS (SELECT 1 FROM branches b WHERE b.n = tasks.n)";

    internal const string HolderSql = "SELECT min(host_epoch) FROM tasks INDEXED BY tasks_held WHERE host_epoch > ? AND host_epoch > 0 AND state < 3";
    internal const string HeldSql = "SELECT n FROM tasks INDEXED BY tasks_held WHERE host_epoch = ? AND host_epoch > 0 AND state < 3 ORDER BY n";
    internal const string WaitingAgentSql =
        "SELECT n FROM tasks INDEXED BY tasks_waiting_agents WHERE agent_thread = ? AND kind IS NOT NULL AND state = 0 ORDER BY n LIMIT 1";

    private const string HeadColumns =
        "n, owner, state, cancel_ms, parent, host_epoch, events_through, agent_thread, agent_open, kind";

    private readonly Statement _head = connection.Prepare($"SELECT {HeadColumns} FROM tasks WHERE n = ?");
    private readonly Statement _snapshot = connection.Prepare($"SELECT {TaskRow.Columns} FROM tasks t {TaskRow.Joins} WHERE t.n = ?");
    private readonly Statement _liveName = connection.Prepare("SELECT 1 FROM tasks WHERE owner = ? AND name = ? AND state < 3");
    private readonly Statement _liveAgent = connection.Prepare(
        "SELECT 1 FROM tasks INDEXED BY tasks_live_agents WHERE agent_thread = ? AND state < 3 LIMIT 1");

    private readonly Statement _liveOf = connection.Prepare("SELECT n FROM tasks INDEXED BY tasks_live WHERE owner = ? AND state < 3");
    private readonly Statement _holder = connection.Prepare(HolderSql);
    private readonly Statement _held = connection.Prepare(HeldSql);
    private readonly Statement _waitingAgent = connection.Prepare(WaitingAgentSql);
    private readonly Statement _anyWaitingAgent = connection.Prepare(
        "SELECT 1 FROM tasks INDEXED BY tasks_waiting_agents WHERE agent_thread IS NOT NULL AND kind IS NOT NULL AND state = 0 LIMIT 1");

    private readonly Statement _add = connection.Prepare(
        """
        INSERT INTO tasks (n, owner, state, created_ms, completed_ms, cancel_ms, parent, host_epoch, agent_thread, agent_open,
            continues, notify, kind, type, name, run_id, call_id, agent_id, cancelled_by, description, error, result)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """);

    private readonly Statement _move = connection.Prepare("UPDATE tasks SET state = ? WHERE n = ?");
    private readonly Statement _claim = connection.Prepare("UPDATE tasks SET state = 1, host_epoch = ?, events_through = 0 WHERE n = ?");
    private readonly Statement _giveBack = connection.Prepare(
        "UPDATE tasks SET state = 0, host_epoch = 0, agent_open = agent_thread IS NOT NULL WHERE n = ?");

    private readonly Statement _end = connection.Prepare(
        "UPDATE tasks SET state = ?, completed_ms = ?, error = ?, result = ?, agent_open = 0 WHERE n = ?");

    private readonly Statement _cancel = connection.Prepare("UPDATE tasks SET cancel_ms = ?, cancelled_by = ? WHERE n = ?");
    private readonly Statement _events = connection.Prepare("UPDATE tasks SET events_through = ? WHERE n = ?");
    private readonly Statement _closeAgent = connection.Prepare("UPDATE tasks SET agent_open = 0 WHERE n = ?");
    private readonly Statement _prune = connection.Prepare($"DELETE FROM tasks WHERE {IsOld}");
    private readonly Statement _pruneCandidates = connection.Prepare(
        """
        SELECT t.n FROM branches b JOIN tasks t ON t.n = b.n
        WHERE b.ended = 1 AND coalesce(t.completed_ms, t.created_ms) < ?
        """);

    private readonly Statement _remove = connection.Prepare("DELETE FROM tasks WHERE n = ?");
    private readonly Dictionary<long, TaskHead> _live = [];

    // Most stores have none, and then there is nothing to look up when mail arrives. Null where it is not known.
    private bool? _hasWaitingAgents;

    public TaskHead? Head(long number)
    {
        if (_live.TryGetValue(number, out var known))
        {
            return known;
        }

        using var rows = _head.Bind(number).Rows();
        return rows.Next()
            ? Keep(new TaskHead(
                rows.Number(0), rows.Number(1), (TaskState)rows.Number(2), !rows.IsNull(3), rows.NumberOrNull(4),
                rows.Number(5), rows.Number(6), rows.NumberOrNull(7), rows.Number(8) != 0, rows.NumberOrNull(9)))
            : null;
    }

    /// <summary>Lets go of what is in memory, because the table has been set back.</summary>
    public void Forget()
    {
        _live.Clear();
        _hasWaitingAgents = null;
        recent.Distrust();
    }

    public IReadOnlyList<TaskSnapshot> Snapshots(IReadOnlyList<long> numbers) => [.. numbers.Select(number => Snapshot(number)!)];

    public TaskSnapshot? Snapshot(long number)
    {
        if (recent.Find(number) is { } known)
        {
            return known;
        }

        using var rows = _snapshot.Bind(number).Rows();
        return rows.Next() ? TaskRow.Read(rows) : null;
    }

    public TaskSnapshot? SnapshotAtHand(long number) => recent.Find(number);

    public bool HasLiveName(long owner, string name) => _liveName.Bind(owner).Bind(name).Scalar() is not null;

    public bool HasLiveAgent(long agentThread) => _liveAgent.Bind(agentThread).Scalar() is not null;

    public void AddLiveOf(long owner, ICollection<long> numbers) => _liveOf.Bind(owner).AddTo(numbers);

    /// <summary>Finds the agent that will read the mail of a thread once a host has its work.</summary>
    public long? FindWaitingAgent(long agentThread) =>
        (_hasWaitingAgents ??= _anyWaitingAgent.Scalar() is not null) ? _waitingAgent.Bind(agentThread).Scalar() : null;

    /// <summary>The hosts that have live tasks.</summary>
    public IReadOnlyList<long> Holders()
    {
        var epochs = new List<long>();
        for (long? next = 0; (next = _holder.Bind(next).Scalar()) is { } epoch;)
        {
            epochs.Add(epoch);
        }

        return epochs;
    }

    public bool HoldsAny(long hostEpoch) => _held.Bind(hostEpoch).Scalar() is not null;

    /// <summary>The live tasks of a host, in the order of their numbers.</summary>
    public IReadOnlyList<long> HeldBy(long hostEpoch) => _held.Bind(hostEpoch).Numbers();

    public void Add(in TaskHead task, string id, AddTask added, DateTimeOffset createdAt, long? continues, in WorkHead? work)
    {
        _add.Bind(task.Number).Bind(task.Owner).Bind((long)task.State).Bind(createdAt).Bind((long?)null).Bind((long?)null).Bind(task.Parent)
            .Bind(task.HostEpoch).Bind(task.AgentThread).Bind(task.AgentOpen ? 1 : 0).Bind(continues).Bind((long)added.Notify).Bind(task.Kind)
            .Bind(added.Type).Bind(added.Name).Bind(added.Lineage.RunId).Bind(added.Lineage.CallId).Bind(added.Lineage.AgentId)
            .Bind((string?)null).Bind(added.Description).Bind((string?)null).Bind((string?)null)
            .Run();
        recent.Stage(task.Number, NewWorkTask.Snapshot(id, added, createdAt, work));
        Keep(task);
    }

    public void Add(long number, long owner, TaskSnapshot task, long? parent, long? agentThread, long? continues, long? kind) =>
        _add.Bind(number).Bind(owner).Bind((long)task.State).Bind(task.CreatedAt).Bind(task.CompletedAt).Bind(task.CancelRequestedAt).Bind(parent)
            .Bind(0).Bind(agentThread).Bind(0).Bind(continues).Bind((long)task.Notify).Bind(kind)
            .Bind(task.Type).Bind(task.Name).Bind(task.Lineage.RunId).Bind(task.Lineage.CallId).Bind(task.Lineage.AgentId)
            .Bind(task.CancelledBy).Bind(task.Description).Bind(task.Error).Bind(task.Result?.GetRawText())
            .Run();

    public void Move(in TaskHead task, TaskState state)
    {
        _move.Bind((long)state).Bind(task.Number).Run();
        recent.Stage(task.Number, recent.Find(task.Number) is { } now ? now with { State = state } : null);
        Keep(task with { State = state });
    }

    /// <summary>Makes pending work a host's.</summary>
    public void Claim(in TaskHead task, long hostEpoch)
    {
        _claim.Bind(hostEpoch).Bind(task.Number).Run();
        recent.Stage(task.Number, recent.Find(task.Number) is { } now ? now with { State = TaskState.Running } : null);
        Keep(task with { State = TaskState.Running, HostEpoch = hostEpoch, EventsThrough = 0 });
    }

    /// <summary>Makes a host's work pending. An agent takes messages again: another attempt will read them.</summary>
    public void GiveBack(in TaskHead task)
    {
        _giveBack.Bind(task.Number).Run();
        recent.Stage(task.Number, recent.Find(task.Number) is { } now ? now with { State = TaskState.Pending } : null);
        Keep(task with { State = TaskState.Pending, HostEpoch = 0, AgentOpen = task.AgentThread is not null });
    }

    public void End(in TaskHead task, TaskState state, DateTimeOffset time, string? error, JsonElement? result)
    {
        var json = result?.GetRawText();
        _end.Bind((long)state).Bind(time).Bind(error).Bind(json).Bind(task.Number).Run();
        recent.Stage(task.Number, json is null or { Length: <= RecentTasks.MaxResult } && recent.Find(task.Number) is { } now
            ? now with { State = state, CompletedAt = time, Error = error, Result = result?.Clone() }
            : null);
        _live.Remove(task.Number);
        if (task.IsWaiting)
        {
            _hasWaitingAgents = null;
        }
    }

    public void RequestCancel(in TaskHead task, DateTimeOffset time, string by)
    {
        _cancel.Bind(time).Bind(by).Bind(task.Number).Run();
        recent.Stage(task.Number, recent.Find(task.Number) is { } now ? now with { CancelRequestedAt = time, CancelledBy = by } : null);
        Keep(task with { CancelRequested = true });
    }

    public void SetEventsThrough(in TaskHead task, long through)
    {
        _events.Bind(through).Bind(task.Number).Run();
        Keep(task with { EventsThrough = through });
    }

    public void CloseAgentInbox(in TaskHead task)
    {
        _closeAgent.Bind(task.Number).Run();
        Keep(task with { AgentOpen = false });
    }

    /// <summary>Forgets what ended before a time and is on no branch.</summary>
    public int Prune(DateTimeOffset endedBefore)
    {
        var before = connection.TotalChanges;
        recent.Clear();
        _prune.Bind(endedBefore).Run();
        return connection.TotalChanges - before;
    }

    /// <summary>What ended before a time and is still on a branch.</summary>
    public IReadOnlyList<long> PruneCandidates(DateTimeOffset endedBefore) => _pruneCandidates.Bind(endedBefore).Numbers();

    public void Remove(long number) => _remove.Bind(number).Run();

    private TaskHead Keep(in TaskHead task)
    {
        if (task.Kind is not null && task.AgentThread is not null)
        {
            _hasWaitingAgents = task.IsWaiting ? true : null;
        }

        if (task.IsLive)
        {
            if (_live.Count >= MaxHeads)
            {
                _live.Clear();
            }

            _live[task.Number] = task;
        }

        return task;
    }
}
