using System.Text.Json;

namespace Coppice.PostgreSql;

/// <summary>
/// The writer's statements on tasks. A live one has a row among the branches, by which it is found by name, host and agent. Heads are among the facts of
/// their threads.
/// </summary>
internal sealed class TaskRows : ITaskRows
{
    private static readonly Column<TaskImage>[] Key = [Number("owner_thread_id", static row => row.Head.Owner), Number("n", static row => row.Head.Number)];

    private static readonly Column<TaskImage>[] Changing =
    [
        Number("state", static row => (long)row.Head.State),
        Number("host_epoch", static row => row.Head.HostEpoch),
        Number("events_through", static row => row.Head.EventsThrough),
        new FlagColumn<TaskImage>("agent_open", static row => row.Head.AgentOpen),
        new NumberColumn<TaskImage>("completed_ms", static row => row.CompletedAt?.ToUnixTimeMilliseconds()) { IsSetOnce = true },
        new NumberColumn<TaskImage>("cancel_ms", static row => row.CancelAt?.ToUnixTimeMilliseconds()) { IsSetOnce = true },
        new TextColumn<TaskImage>("cancelled_by", static row => row.CancelledBy) { IsSetOnce = true },
        new TextColumn<TaskImage>("error", static row => row.Error) { IsSetOnce = true },
        new TextColumn<TaskImage>("result", static row => row.Result) { IsSetOnce = true },
    ];

    private static readonly Column<TaskImage>[] Lasting =
    [
        Number("created_ms", static row => row.New!.CreatedAt.ToUnixTimeMilliseconds()),
        Number("parent", static row => row.Head.Parent),
        Number("parent_owner", static row => row.New!.ParentOwner),
        Number("agent_thread", static row => row.Head.AgentThread),
        Number("continues", static row => row.New!.Continues),
        Number("kind", static row => row.Head.Kind),
        Number("notify", static row => (long)row.New!.Notify),
        Text("type", static row => row.New!.Type),
        Text("name", static row => row.New!.Name),
        Text("run_id", static row => row.New!.Lineage.RunId),
        Text("call_id", static row => row.New!.Lineage.CallId),
        Text("agent_id", static row => row.New!.Lineage.AgentId),
        Text("description", static row => row.New!.Description),
    ];

    private readonly WriterConnection _connection;
    private readonly TaskOwners _owners;
    private readonly OwnerMemory _memory;
    private readonly RecentTasks _recent;
    private readonly BranchRows _branches;
    private readonly NumberRows _numbers;
    private readonly Additions<(long Number, long Owner)> _ids;
    private readonly Images<TaskImage> _images;
    private readonly Statement _head;
    private readonly Statement _snapshot;
    private readonly Statement _snapshots;
    private readonly Statement _liveAgent;
    private readonly Statement _liveOf;
    private readonly Statement _nextHolder;
    private readonly Statement _ownersHeld;
    private readonly Statement _held;
    private readonly Statement _holdsAny;
    private readonly Statement _prune;
    private readonly Statement _pruneCandidates;
    private readonly Statement _removeId;
    private readonly Statement _remove;

    public TaskRows(
        WriterConnection connection, TaskOwners owners, OwnerMemory memory, RecentTasks recent, BranchRows branches, NumberRows numbers)
    {
        (_connection, _owners, _memory, _recent, _branches, _numbers) = (connection, owners, memory, recent, branches, numbers);

        // Before the tasks: whose number it is is found out here.
        _ids = connection.Add(new Additions<(long Number, long Owner)>(RowWriter<(long Number, long Owner)>.Inserts(
            connection.InSchema("{schema}.task_ids"),
            [
                new NumberColumn<(long Number, long Owner)>("n", static row => row.Number),
                new NumberColumn<(long Number, long Owner)>("owner_thread_id", static row => row.Owner),
            ])));
        var table = connection.InSchema("{schema}.tasks");
        _images = connection.Add(new Images<TaskImage>(
            RowWriter<TaskImage>.Inserts(table, [.. Key, .. Changing, .. Lasting]),
            RowWriter<TaskImage>.Updates(table, Key, Changing),
            delete: null,
            TaskImage.Over));
        _head = connection.Prepare(
            """
            SELECT owner_thread_id, state, cancel_ms IS NOT NULL, parent, host_epoch, events_through, agent_thread, agent_open, kind
            FROM {schema}.tasks WHERE owner_thread_id = $1 AND n = $2
            """);
        _snapshot = connection.Prepare($"SELECT {TaskRow.Columns} FROM {{schema}}.tasks t {TaskRow.Joins} WHERE t.owner_thread_id = $1 AND t.n = $2");
        _snapshots = connection.Prepare(
            $"""
            SELECT {TaskRow.Columns}, a.place FROM unnest($1, $2) WITH ORDINALITY AS a (o, n, place)
                JOIN {"{schema}"}.tasks t ON t.owner_thread_id = a.o AND t.n = a.n {TaskRow.Joins}
            """);
        _liveAgent = connection.Prepare("SELECT 1 FROM {schema}.branches WHERE agent_thread = $1 AND NOT ended LIMIT 1");
        _liveOf = connection.Prepare("SELECT n FROM {schema}.branches WHERE owner_thread_id = $1 AND NOT ended");
        _nextHolder = connection.Prepare("SELECT min(host_epoch) FROM {schema}.branches WHERE host_epoch > $1");
        _ownersHeld = connection.Prepare("SELECT DISTINCT owner_thread_id FROM {schema}.branches WHERE host_epoch = $1");
        _held = connection.Prepare("SELECT n FROM {schema}.branches WHERE host_epoch = $1 ORDER BY n");
        _holdsAny = connection.Prepare("SELECT 1 FROM {schema}.branches WHERE host_epoch = $1 LIMIT 1");
        _prune = connection.Prepare(
            """
            WITH gone AS (
                DELETE FROM {schema}.tasks t WHERE t.state >= 3 AND t.created_ms < $1 AND coalesce(t.completed_ms, t.created_ms) < $1
                    AND NOT EXISTS (SELECT 1 FROM {schema}.branches b WHERE b.owner_thread_id = t.owner_thread_id AND b.n = t.n)
                    AND NOT EXISTS (SELECT 1 FROM {schema}.work w WHERE w.owner_thread_id = t.owner_thread_id AND w.n = t.n)
                RETURNING t.n)
            DELETE FROM {schema}.task_ids i USING gone WHERE i.n = gone.n
            """);
        _pruneCandidates = connection.Prepare(
            """
            SELECT t.n FROM {schema}.branches b JOIN {schema}.tasks t ON t.owner_thread_id = b.owner_thread_id AND t.n = b.n
            WHERE b.ended AND coalesce(t.completed_ms, t.created_ms) < $1
            """);
        _removeId = connection.Prepare("DELETE FROM {schema}.task_ids WHERE n = $1");
        _remove = connection.Prepare("DELETE FROM {schema}.tasks WHERE owner_thread_id = $1 AND n = $2");
    }

    /// <summary>Takes in what was read of a task of a thread that the transaction has locked.</summary>
    public void Know(long owner, long number, TaskHead? head) => _connection.Facts.Of(owner).Tasks.TryAdd(number, head);

    public TaskHead? Head(long number)
    {
        if (_owners.Of(number) is not { } owner)
        {
            return null;
        }

        var tasks = _connection.Hold(owner).Tasks;
        if (tasks.TryGetValue(number, out var known))
        {
            return known;
        }

        using var rows = _head.Bind(owner).Bind(number).Rows();
        return tasks[number] = rows.Next() ? ReadHead(number, rows, 0) : null;
    }

    /// <summary>Reads the columns that make a head.</summary>
    public static TaskHead ReadHead(long number, RowScope rows, int from) => new(
        number, rows.Number(from), (TaskState)rows.Number(from + 1), rows.Flag(from + 2), rows.NumberOrNull(from + 3), rows.Number(from + 4),
        rows.Number(from + 5), rows.NumberOrNull(from + 6), rows.Flag(from + 7), rows.NumberOrNull(from + 8));

    public TaskSnapshot? Snapshot(long number)
    {
        if (SnapshotAtHand(number) is { } known)
        {
            return known;
        }

        if (_owners.Of(number) is not { } owner)
        {
            return null;
        }

        using var rows = _snapshot.Bind(owner).Bind(number).Rows();
        return rows.Next() ? TaskRow.Read(rows.Reader) : null;
    }

    public IReadOnlyList<TaskSnapshot> Snapshots(IReadOnlyList<long> numbers)
    {
        if (numbers.Count == 0)
        {
            return [];
        }

        var snapshots = new TaskSnapshot[numbers.Count];
        using var rows = _snapshots.Bind([.. numbers.Select(number => _owners.Of(number)!.Value)]).Bind([.. numbers]).Rows();
        while (rows.Next())
        {
            snapshots[(int)rows.Number(TaskRow.Width) - 1] = TaskRow.Read(rows.Reader);
        }

        return snapshots;
    }

    public TaskSnapshot? SnapshotAtHand(long number) =>
        _memory.Find(number) is { } owner && _connection.Holds(owner) && _connection.Facts.Of(owner).Tasks.GetValueOrDefault(number) is { } now
            ? AtHand(now)
            : null;

    public bool HasLiveName(long owner, string name) => _branches.HasLiveName(owner, name);

    public bool HasLiveAgent(long agentThread)
    {
        _connection.Lock(agentThread);
        return _liveAgent.Bind(agentThread).Scalar() is not null;
    }

    public void AddLiveOf(long owner, ICollection<long> numbers)
    {
        _connection.Lock(owner);
        foreach (var number in _liveOf.Bind(owner).Numbers())
        {
            numbers.Add(number);
        }
    }

    public long? FindWaitingAgent(long agentThread) => _branches.FindWaitingAgent(agentThread);

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
        _connection.LockAll(_ownersHeld.Bind(hostEpoch).Numbers());
        return _held.Bind(hostEpoch).Numbers();
    }

    public void Add(in TaskHead task, string id, AddTask added, DateTimeOffset createdAt, long? continues, in WorkHead? work)
    {
        _connection.Lock(task.Owner);
        var parentOwner = task.Parent is { } parent ? _owners.Of(parent) : null;
        _ids.Add((task.Number, task.Owner));
        _images.Insert(task.Number, new TaskImage(task)
        {
            New = new NewTaskRow(createdAt, parentOwner, continues, added.Notify, added.Type, added.Name, added.Lineage, added.Description),
        });
        var branch = new BranchImage(task.Owner, task.Number)
        {
            Parent = task.Parent,
            ParentOwner = parentOwner,
            Host = task.HostEpoch == 0 ? null : task.HostEpoch,
            AgentThread = task.AgentThread,
            Kind = task.Kind,
            Name = added.Name,
            RunId = task.Parent is null ? added.Lineage.RunId : null,
        };
        if (task.Kind is null)
        {
            _recent.Stage(task.Number, NewTask.Snapshot(id, added, createdAt));
        }

        Remember(task);
        _branches.AddLive(branch, _numbers.IsAwaited(task.Number));
    }

    public void Add(long number, long owner, TaskSnapshot task, long? parent, long? agentThread, long? continues, long? kind)
    {
        _connection.Lock(owner);
        var head = new TaskHead(
            number, owner, task.State, task.CancelRequestedAt is not null, parent, HostEpoch: 0, EventsThrough: 0, agentThread, AgentOpen: false, kind);
        _ids.Add((number, owner));
        _images.Insert(number, new TaskImage(head)
        {
            New = new NewTaskRow(
                task.CreatedAt, parent is { } above ? _owners.Of(above) : null, continues, task.Notify, task.Type, task.Name, task.Lineage, task.Description),
            CompletedAt = task.CompletedAt,
            CancelAt = task.CancelRequestedAt,
            CancelledBy = task.CancelledBy,
            Error = task.Error,
            Result = task.Result?.GetRawText(),
        });

        // One of the same id may be remembered that was pruned meanwhile.
        _recent.Stage(number, null);
        Remember(head);
    }

    public void Move(in TaskHead task, TaskState state)
    {
        var before = Now(task);
        Stage(before, AtHand(before) is { } known ? known with { State = state } : null);
        Change(new TaskImage(before with { State = state }));
    }

    public void Claim(in TaskHead task, long hostEpoch)
    {
        Change(new TaskImage(Now(task) with { State = TaskState.Running, HostEpoch = hostEpoch, EventsThrough = 0 }));
        _branches.SetHost(task, hostEpoch);
    }

    public void GiveBack(in TaskHead task)
    {
        Change(new TaskImage(Now(task) with { State = TaskState.Pending, HostEpoch = 0, AgentOpen = task.AgentThread is not null }));
        _branches.SetHost(task, host: null);
    }

    public void End(in TaskHead task, TaskState state, DateTimeOffset time, string? error, JsonElement? result)
    {
        var before = Now(task);
        var json = result?.GetRawText();
        Stage(before, json is null or { Length: <= RecentTasks.MaxResult } && AtHand(before) is { } known
            ? known with { State = state, CompletedAt = time, Error = error, Result = json is null ? null : TaskRow.ReadJson(json) }
            : null);
        Change(new TaskImage(before with { State = state, AgentOpen = false })
        {
            CompletedAt = time,
            Error = error,
            Result = json,
        });
        _connection.Change(task.Owner).Ended.Add(task.Number);
        _branches.ForgetWaiting(task.AgentThread);
    }

    public void RequestCancel(in TaskHead task, DateTimeOffset time, string by)
    {
        var before = Now(task);
        Stage(before, AtHand(before) is { } known ? known with { CancelRequestedAt = time, CancelledBy = by } : null);
        Change(new TaskImage(before with { CancelRequested = true }) { CancelAt = time, CancelledBy = by });
    }

    public void SetEventsThrough(in TaskHead task, long through) => Change(new TaskImage(Now(task) with { EventsThrough = through }));

    public void CloseAgentInbox(in TaskHead task) => Change(new TaskImage(Now(task) with { AgentOpen = false }));

    public int Prune(DateTimeOffset endedBefore)
    {
        var count = _prune.Bind(endedBefore).Run();
        _connection.NoteFactsChanged();
        _recent.Clear();
        _memory.Clear();
        _connection.Facts.ForgetTasks();
        return count;
    }

    public IReadOnlyList<long> PruneCandidates(DateTimeOffset endedBefore) => _pruneCandidates.Bind(endedBefore).Numbers();

    public void Remove(long number)
    {
        if (_owners.Of(number) is { } owner)
        {
            var facts = _connection.Change(owner);
            _remove.Bind(owner).Bind(number).Run();
            _removeId.Bind(number).Run();
            _recent.Stage(number, null);
            _memory.Clear();
            facts.Tasks.Remove(number);
        }
    }

    private static NumberColumn<TaskImage> Number(string name, Func<TaskImage, long?> value) => new(name, value);

    private static TextColumn<TaskImage> Text(string name, Func<TaskImage, string?> value) => new(name, value);

    /// <summary>A task as it is now: what a rule holds may be older than its last change.</summary>
    private TaskHead Now(in TaskHead task) => _connection.Hold(task.Owner).Tasks.GetValueOrDefault(task.Number) ?? task;

    /// <summary>
    /// A task as it is remembered, if other processes have not changed it since: the head, which was read under its thread's lock, tells. What it does not tell is
    /// set once, with what it tells, or never changes; that of work does.
    /// </summary>
    private TaskSnapshot? AtHand(in TaskHead head) =>
        head.Kind is null && _recent.Find(head.Number) is { Work: null } task
            && task.State == head.State && task.CancelRequestedAt is not null == head.CancelRequested
            ? task
            : null;

    private void Stage(in TaskHead task, TaskSnapshot? now)
    {
        if (task.Kind is null)
        {
            _recent.Stage(task.Number, now);
        }
    }

    private void Remember(in TaskHead task)
    {
        _memory.Add(task);
        _connection.Change(task.Owner).Tasks[task.Number] = task;
    }

    private void Change(TaskImage image)
    {
        _images.Update(image.Head.Number, image);
        _connection.Change(image.Head.Owner).Tasks[image.Head.Number] = image.Head;
    }
}
