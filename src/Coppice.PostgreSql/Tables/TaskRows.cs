using System.Text.Json;

namespace Coppice.PostgreSql;

/// <summary>The writer's statements on tasks. A live one has a row among the branches, by which it is found by name, host and agent.</summary>
internal sealed class TaskRows(WriterConnection connection, TaskOwners owners, OwnerMemory memory) : ITaskRows
{
    private readonly Statement _head = connection.Prepare(
        """
        SELECT owner_thread_id, state, cancel_ms IS NOT NULL, parent, host_epoch, events_through, agent_thread, agent_open, kind
        FROM {schema}.tasks WHERE owner_thread_id = $1 AND n = $2
        """);

    private readonly Statement _snapshot = connection.Prepare(
        $"SELECT {TaskRow.Columns} FROM {{schema}}.tasks t {TaskRow.Joins} WHERE t.owner_thread_id = $1 AND t.n = $2");

    private readonly Statement _liveName = connection.Prepare(
        "SELECT 1 FROM {schema}.branches WHERE owner_thread_id = $1 AND name = $2 AND NOT ended");

    private readonly Statement _liveAgent = connection.Prepare("SELECT 1 FROM {schema}.branches WHERE agent_thread = $1 AND NOT ended LIMIT 1");
    private readonly Statement _liveOf = connection.Prepare("SELECT n FROM {schema}.branches WHERE owner_thread_id = $1 AND NOT ended");
    private readonly Statement _waitingAgent = connection.Prepare(
        "SELECT n FROM {schema}.branches WHERE agent_thread = $1 AND kind IS NOT NULL AND host_epoch IS NULL AND NOT ended ORDER BY n LIMIT 1");

    private readonly Statement _nextHolder = connection.Prepare("SELECT min(host_epoch) FROM {schema}.branches WHERE host_epoch > $1");
    private readonly Statement _ownersHeld = connection.Prepare("SELECT DISTINCT owner_thread_id FROM {schema}.branches WHERE host_epoch = $1");
    private readonly Statement _held = connection.Prepare("SELECT n FROM {schema}.branches WHERE host_epoch = $1 ORDER BY n");
    private readonly Statement _holdsAny = connection.Prepare("SELECT 1 FROM {schema}.branches WHERE host_epoch = $1 LIMIT 1");
    private readonly Statement _addId = connection.Prepare("INSERT INTO {schema}.task_ids (n, owner_thread_id) VALUES ($1, $2)");
    private readonly Statement _add = connection.Prepare(
        """
        INSERT INTO {schema}.tasks (owner_thread_id, n, created_ms, completed_ms, cancel_ms, parent, parent_owner, agent_thread, continues, host_epoch, kind,
            state, notify, agent_open, type, name, run_id, call_id, agent_id, cancelled_by, description, error, result)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)
        """);

    private readonly Statement _addBranch = connection.Prepare(
        """
        INSERT INTO {schema}.branches (owner_thread_id, n, parent, parent_owner, host_epoch, agent_thread, kind, name, run_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        """);

    private readonly Statement _move = connection.Prepare("UPDATE {schema}.tasks SET state = $3 WHERE owner_thread_id = $1 AND n = $2");
    private readonly Statement _claim = connection.Prepare(
        "UPDATE {schema}.tasks SET state = 1, host_epoch = $3, events_through = 0 WHERE owner_thread_id = $1 AND n = $2");

    private readonly Statement _giveBack = connection.Prepare(
        "UPDATE {schema}.tasks SET state = 0, host_epoch = 0, agent_open = agent_thread IS NOT NULL WHERE owner_thread_id = $1 AND n = $2");

    private readonly Statement _setHost = connection.Prepare("UPDATE {schema}.branches SET host_epoch = $3 WHERE owner_thread_id = $1 AND n = $2");
    private readonly Statement _end = connection.Prepare(
        """
        UPDATE {schema}.tasks SET state = $3, completed_ms = $4, error = $5, result = $6, agent_open = false
        WHERE owner_thread_id = $1 AND n = $2
        """);

    private readonly Statement _cancel = connection.Prepare(
        "UPDATE {schema}.tasks SET cancel_ms = $3, cancelled_by = $4 WHERE owner_thread_id = $1 AND n = $2");

    private readonly Statement _events = connection.Prepare("UPDATE {schema}.tasks SET events_through = $3 WHERE owner_thread_id = $1 AND n = $2");
    private readonly Statement _closeAgent = connection.Prepare("UPDATE {schema}.tasks SET agent_open = false WHERE owner_thread_id = $1 AND n = $2");
    private readonly Statement _prune = connection.Prepare(
        """
        WITH gone AS (
            DELETE FROM {schema}.tasks t WHERE t.state >= 3 AND t.created_ms < $1 AND coalesce(t.completed_ms, t.created_ms) < $1
                AND NOT EXISTS (SELECT 1 FROM {schema}.branches b WHERE b.owner_thread_id = t.owner_thread_id AND b.n = t.n)
                AND NOT EXISTS (SELECT 1 FROM {schema}.work w WHERE w.owner_thread_id = t.owner_thread_id AND w.n = t.n)
            RETURNING t.n)
        DELETE FROM {schema}.task_ids i USING gone WHERE i.n = gone.n
        """);

    private readonly Statement _pruneCandidates = connection.Prepare(
        """
        SELECT t.n FROM {schema}.branches b JOIN {schema}.tasks t ON t.owner_thread_id = b.owner_thread_id AND t.n = b.n
        WHERE b.ended AND coalesce(t.completed_ms, t.created_ms) < $1
        """);

    private readonly Statement _removeId = connection.Prepare("DELETE FROM {schema}.task_ids WHERE n = $1");
    private readonly Statement _remove = connection.Prepare("DELETE FROM {schema}.tasks WHERE owner_thread_id = $1 AND n = $2");
    private readonly Dictionary<long, TaskHead> _heads = [];

    /// <summary>Lets go of what the transaction knew.</summary>
    public void Forget() => _heads.Clear();

    public TaskHead? Head(long number)
    {
        if (_heads.TryGetValue(number, out var known))
        {
            return known;
        }

        if (owners.Of(number) is not { } owner)
        {
            return null;
        }

        connection.Lock(owner);
        using var rows = _head.Bind(owner).Bind(number).Rows();
        return rows.Next()
            ? Keep(new TaskHead(
                number, rows.Number(0), (TaskState)rows.Number(1), rows.Flag(2), rows.NumberOrNull(3), rows.Number(4), rows.Number(5),
                rows.NumberOrNull(6), rows.Flag(7), rows.NumberOrNull(8)))
            : null;
    }

    public TaskSnapshot? Snapshot(long number)
    {
        if (owners.Of(number) is not { } owner)
        {
            return null;
        }

        using var rows = _snapshot.Bind(owner).Bind(number).Rows();
        return rows.Next() ? TaskRow.Read(rows.Reader) : null;
    }

    public TaskSnapshot? SnapshotAtHand(long number) => null;

    public bool HasLiveName(long owner, string name)
    {
        connection.Lock(owner);
        return _liveName.Bind(owner).Bind(name).Scalar() is not null;
    }

    public bool HasLiveAgent(long agentThread)
    {
        connection.Lock(agentThread);
        return _liveAgent.Bind(agentThread).Scalar() is not null;
    }

    public void AddLiveOf(long owner, ICollection<long> numbers)
    {
        connection.Lock(owner);
        foreach (var number in _liveOf.Bind(owner).Numbers())
        {
            numbers.Add(number);
        }
    }

    public long? FindWaitingAgent(long agentThread) => _waitingAgent.Bind(agentThread).Scalar();

    public IReadOnlyList<long> Holders()
    {
        var epochs = new List<long>();
        for (long? next = 0; (next = _nextHolder.Bind(next).Scalar()) is { } epoch;)
        {
            epochs.Add(epoch);
        }

        return epochs;
    }

    public bool HoldsAny(long hostEpoch) => _holdsAny.Bind(hostEpoch).Scalar() is not null;

    public IReadOnlyList<long> HeldBy(long hostEpoch)
    {
        // A host that is fenced gets no more tasks; while the locks are waited for its tasks may still be taken from it.
        connection.LockAll(_ownersHeld.Bind(hostEpoch).Numbers());
        return _held.Bind(hostEpoch).Numbers();
    }

    public void Add(in TaskHead task, string id, AddTask added, DateTimeOffset createdAt, long? continues, in WorkHead? work)
    {
        connection.Lock(task.Owner);
        var parentOwner = task.Parent is { } parent ? owners.Of(parent) : null;
        long? host = task.HostEpoch == 0 ? null : task.HostEpoch;
        _addId.Bind(task.Number).Bind(task.Owner).Run();
        _add.Bind(task.Owner).Bind(task.Number).Bind(createdAt).Bind((long?)null).Bind((long?)null).Bind(task.Parent).Bind(parentOwner)
            .Bind(task.AgentThread).Bind(continues).Bind(task.HostEpoch).Bind(task.Kind).Bind((long)task.State).Bind((long)added.Notify).Bind(task.AgentOpen)
            .Bind(added.Type).Bind(added.Name).Bind(added.Lineage.RunId).Bind(added.Lineage.CallId).Bind(added.Lineage.AgentId)
            .Bind((string?)null).Bind(added.Description).Bind((string?)null).Bind((string?)null).Run();
        _addBranch.Bind(task.Owner).Bind(task.Number).Bind(task.Parent).Bind(parentOwner).Bind(host).Bind(task.AgentThread).Bind(task.Kind)
            .Bind(added.Name).Bind(task.Parent is null ? added.Lineage.RunId : null).Run();
        memory.Add(task.Number, task.Owner);
        Keep(task);
    }

    public void Add(long number, long owner, TaskSnapshot task, long? parent, long? agentThread, long? continues, long? kind)
    {
        connection.Lock(owner);
        _addId.Bind(number).Bind(owner).Run();
        _add.Bind(owner).Bind(number).Bind(task.CreatedAt).Bind(task.CompletedAt).Bind(task.CancelRequestedAt).Bind(parent)
            .Bind(parent is { } above ? owners.Of(above) : null).Bind(agentThread).Bind(continues).Bind(0).Bind(kind).Bind((long)task.State)
            .Bind((long)task.Notify).Bind(false).Bind(task.Type).Bind(task.Name).Bind(task.Lineage.RunId).Bind(task.Lineage.CallId)
            .Bind(task.Lineage.AgentId).Bind(task.CancelledBy).Bind(task.Description).Bind(task.Error).Bind(task.Result?.GetRawText()).Run();
        memory.Add(number, owner);
        _heads.Remove(number);
    }

    public void Move(in TaskHead task, TaskState state)
    {
        _move.Bind(task.Owner).Bind(task.Number).Bind((long)state).Run();
        Keep(task with { State = state });
    }

    public void Claim(in TaskHead task, long hostEpoch)
    {
        _claim.Bind(task.Owner).Bind(task.Number).Bind(hostEpoch).Run();
        _setHost.Bind(task.Owner).Bind(task.Number).Bind(hostEpoch).Run();
        Keep(task with { State = TaskState.Running, HostEpoch = hostEpoch, EventsThrough = 0 });
    }

    public void GiveBack(in TaskHead task)
    {
        _giveBack.Bind(task.Owner).Bind(task.Number).Run();
        _setHost.Bind(task.Owner).Bind(task.Number).Bind((long?)null).Run();
        Keep(task with { State = TaskState.Pending, HostEpoch = 0, AgentOpen = task.AgentThread is not null });
    }

    public void End(in TaskHead task, TaskState state, DateTimeOffset time, string? error, JsonElement? result)
    {
        _end.Bind(task.Owner).Bind(task.Number).Bind((long)state).Bind(time).Bind(error).Bind(result?.GetRawText()).Run();
        Keep(task with { State = state, AgentOpen = false });
    }

    public void RequestCancel(in TaskHead task, DateTimeOffset time, string by)
    {
        _cancel.Bind(task.Owner).Bind(task.Number).Bind(time).Bind(by).Run();
        Keep(task with { CancelRequested = true });
    }

    public void SetEventsThrough(in TaskHead task, long through)
    {
        _events.Bind(task.Owner).Bind(task.Number).Bind(through).Run();
        Keep(task with { EventsThrough = through });
    }

    public void CloseAgentInbox(in TaskHead task)
    {
        _closeAgent.Bind(task.Owner).Bind(task.Number).Run();
        Keep(task with { AgentOpen = false });
    }

    public int Prune(DateTimeOffset endedBefore)
    {
        var count = _prune.Bind(endedBefore).Run();
        memory.Clear();
        _heads.Clear();
        return count;
    }

    public IReadOnlyList<long> PruneCandidates(DateTimeOffset endedBefore) => _pruneCandidates.Bind(endedBefore).Numbers();

    public void Remove(long number)
    {
        if (owners.Of(number) is { } owner)
        {
            connection.Lock(owner);
            _remove.Bind(owner).Bind(number).Run();
            _removeId.Bind(number).Run();
            memory.Clear();
            _heads.Remove(number);
        }
    }

    private TaskHead Keep(in TaskHead task) => _heads[task.Number] = task;
}
