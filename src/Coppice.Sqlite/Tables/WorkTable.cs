using System.Text.Json;

namespace Coppice.Sqlite;

/// <summary>The writer's statements on the work of tasks. The heads of the work that is under way are in memory once they were used.</summary>
internal sealed class WorkTable(Connection connection, RecentTasks recent) : IWorkRows
{
    internal const string DueSql = "SELECT n FROM work INDEXED BY work_due WHERE due_ms <= ? ORDER BY due_ms, n LIMIT ?";
    internal const string ExpiredSql = "SELECT n FROM work INDEXED BY work_that_expires WHERE expires_ms <= ? ORDER BY expires_ms, n LIMIT ?";
    internal const string NextDueSql = "SELECT min(due_ms) FROM work INDEXED BY work_due WHERE due_ms IS NOT NULL";
    internal const string NextExpirySql = "SELECT min(expires_ms) FROM work INDEXED BY work_that_expires WHERE expires_ms IS NOT NULL";
    internal const string ByKeySql = "SELECT n FROM work INDEXED BY work_by_key WHERE owner = ? AND key = ?";
    internal const string FirstSql =
        "SELECT n, version, priority, rank FROM work INDEXED BY work_ready WHERE lane = ? AND version > ? AND rank IS NOT NULL "
        + "ORDER BY version, priority DESC, rank LIMIT 1";

    internal const string ReadySql =
        "SELECT n, priority, rank FROM work INDEXED BY work_ready WHERE lane = ? AND version = ? AND rank IS NOT NULL ORDER BY priority DESC, rank LIMIT ?";

    // Most tasks have the priority 0 and need no index of their own for this: among them, the other one is in the order of ranks too.
    internal const string LongestSql =
        """
        SELECT n, priority, rank FROM (SELECT * FROM (
            SELECT n, priority, rank FROM work INDEXED BY work_ready
            WHERE lane = ?1 AND version = ?2 AND priority = 0 AND rank IS NOT NULL ORDER BY rank LIMIT 1)
        UNION ALL SELECT * FROM (
            SELECT n, priority, rank FROM work INDEXED BY work_ready_by_rank
            WHERE lane = ?1 AND version = ?2 AND priority <> 0 AND rank IS NOT NULL ORDER BY rank LIMIT 1))
        ORDER BY rank LIMIT 1
        """;

    private const int MaxHeads = 16_384;
    private const string OldSql = $"SELECT n FROM tasks INDEXED BY tasks_by_kind WHERE kind IS NOT NULL AND {TaskTable.IsOld}";

    private readonly Statement _head = connection.Prepare(
        """
        SELECT n, lane, version, recovery, max_crashes, priority, deadline_ms, attempt, failures, crashes, claim, rank, due_ms, has_steps, has_checkpoint
        FROM work WHERE n = ?
        """);

    private readonly Statement _add = connection.Prepare(
        """
        INSERT INTO work (n, lane, version, recovery, max_crashes, priority, attempt, failures, crashes, rank, due_ms, expires_ms, deadline_ms,
            owner, key, last_error)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """);

    private readonly Statement _addInput = connection.Prepare("INSERT INTO inputs (n, json) VALUES (?, ?)");
    private readonly Statement _set = connection.Prepare(
        """
        UPDATE work SET attempt = ?, failures = ?, crashes = ?, claim = ?, rank = ?, due_ms = ?, expires_ms = ?, has_steps = ?, has_checkpoint = ?
        WHERE n = ?
        """);

    private readonly Statement _setError = connection.Prepare("UPDATE work SET last_error = ? WHERE n = ?");
    private readonly Statement _first = connection.Prepare(FirstSql);
    private readonly Statement _ready = connection.Prepare(ReadySql);
    private readonly Statement _longest = connection.Prepare(LongestSql);
    private readonly Statement _due = connection.Prepare(DueSql);
    private readonly Statement _expired = connection.Prepare(ExpiredSql);
    private readonly Statement _nextDue = connection.Prepare(NextDueSql);
    private readonly Statement _nextExpiry = connection.Prepare(NextExpirySql);
    private readonly Statement _byKey = connection.Prepare(ByKeySql);
    private readonly Statement _prune = connection.Prepare($"DELETE FROM work WHERE n IN ({OldSql})");
    private readonly Statement _pruneInputs = connection.Prepare($"DELETE FROM inputs WHERE n IN ({OldSql})");
    private readonly Statement _remove = connection.Prepare("DELETE FROM work WHERE n = ?");
    private readonly Statement _removeInput = connection.Prepare("DELETE FROM inputs WHERE n = ?");
    private readonly Dictionary<long, WorkHead> _heads = [];

    public WorkHead Head(long number)
    {
        if (_heads.TryGetValue(number, out var known))
        {
            return known;
        }

        using var rows = _head.Bind(number).Rows();
        rows.Next();
        var lane = rows.Number(1);
        return Keep(new WorkHead(
            number, LanePlace.KindOf(lane), lane, (int)rows.Number(2), (RecoveryPolicy)rows.Number(3), (int)rows.Number(4), (int)rows.Number(5), rows.TimeOrNull(6))
        {
            Attempt = (int)rows.Number(7),
            Failures = (int)rows.Number(8),
            Crashes = (int)rows.Number(9),
            Claim = rows.Number(10),
            Rank = rows.NumberOrNull(11),
            DueAt = rows.TimeOrNull(12),
            HasSteps = rows.Number(13) != 0,
            HasCheckpoint = rows.Number(14) != 0,
        });
    }

    /// <summary>Lets go of what is in memory, because the table has been set back.</summary>
    public void Forget() => _heads.Clear();

    /// <summary>Adds the work of a new task.</summary>
    public void Add(in WorkHead head, long owner, NewWork work) =>
        Add(Keep(head), work.IdempotencyKey is null ? null : owner, work.IdempotencyKey, lastError: null, work.Input);

    /// <summary>Adds the work of a restored task, which has ended.</summary>
    public void Add(long number, long kind, long owner, TaskWork work)
    {
        var head = new WorkHead(
            number, kind, LanePlace.Of(kind, owner), work.Version, work.Recovery, MaxCrashes: int.MaxValue, work.Priority, WorkHead.Storable(work.Deadline))
        {
            Attempt = work.Attempt,
            Failures = work.Failures,
            Crashes = work.Crashes,
        };
        Add(head, owner: null, work.IdempotencyKey, work.LastError, work.Input);
    }

    /// <summary>Stores what has changed.</summary>
    public void Set(in WorkHead work)
    {
        _set.Bind(work.Attempt).Bind(work.Failures).Bind(work.Crashes).Bind(work.Claim).Bind(work.Rank).Bind(work.DueAt)
            .Bind(work.IsPending ? work.Deadline : null).Bind(work.HasSteps ? 1 : 0).Bind(work.HasCheckpoint ? 1 : 0).Bind(work.Number).Run();
        Stage(Keep(work));
    }

    /// <summary>Stores why the last attempt failed.</summary>
    public void SetError(in WorkHead work, string lastError)
    {
        _setError.Bind(lastError).Bind(work.Number).Run();
        recent.Stage(work.Number, recent.Find(work.Number) is { Work: { } now } task ? task with { Work = now with { LastError = lastError } } : null);
    }

    /// <summary>Stores the last state of work that has ended.</summary>
    public void End(in WorkHead work)
    {
        Set(work);
        _heads.Remove(work.Number);
    }

    public long? FindByKey(long owner, string key) => _byKey.Bind(owner).Bind(key).Scalar();

    /// <summary>The ready task of a lane that goes first among those of the lowest version above another.</summary>
    public ReadyWork? First(long lane, int aboveVersion)
    {
        using var rows = _first.Bind(lane).Bind(aboveVersion).Rows();
        return rows.Next() ? new ReadyWork(rows.Number(0), (int)rows.Number(1), (int)rows.Number(2), rows.Number(3)) : null;
    }

    /// <summary>The ready tasks of a lane and a version that go first.</summary>
    public IReadOnlyList<ReadyWork> Ready(long lane, int version, int limit)
    {
        var ready = new List<ReadyWork>();
        using var rows = _ready.Bind(lane).Bind(version).Bind(limit).Rows();
        while (rows.Next())
        {
            ready.Add(new ReadyWork(rows.Number(0), version, (int)rows.Number(1), rows.Number(2)));
        }

        return ready;
    }

    /// <summary>The task that has been ready longest among those of a lane and a version.</summary>
    public ReadyWork? Longest(long lane, int version)
    {
        using var rows = _longest.Bind(lane).Bind(version).Rows();
        return rows.Next() ? new ReadyWork(rows.Number(0), version, (int)rows.Number(1), rows.Number(2)) : null;
    }

    /// <summary>The tasks whose time has come, in the order of their times.</summary>
    public IReadOnlyList<long> Due(DateTimeOffset now, int limit) => _due.Bind(now).Bind(limit).Numbers();

    /// <summary>The pending tasks whose deadline has come, in the order of their deadlines.</summary>
    public IReadOnlyList<long> Expired(DateTimeOffset now, int limit) => _expired.Bind(now).Bind(limit).Numbers();

    /// <summary>When the next task is due or expires.</summary>
    public DateTimeOffset? NextTime()
    {
        var next = Math.Min(_nextDue.Scalar() ?? long.MaxValue, _nextExpiry.Scalar() ?? long.MaxValue);
        return next == long.MaxValue ? null : DateTimeOffset.FromUnixTimeMilliseconds(next);
    }

    /// <summary>Forgets what <see cref="TaskTable.Prune"/> will.</summary>
    public void Prune(DateTimeOffset endedBefore)
    {
        _pruneInputs.Bind(endedBefore).Run();
        _prune.Bind(endedBefore).Run();
        _heads.Clear();
    }

    public void Remove(long number)
    {
        _remove.Bind(number).Run();
        _removeInput.Bind(number).Run();
        _heads.Remove(number);
    }

    private void Add(in WorkHead work, long? owner, string? key, string? lastError, JsonElement input)
    {
        _add.Bind(work.Number).Bind(work.Lane).Bind(work.Version).Bind((long)work.Recovery).Bind(work.MaxCrashes).Bind(work.Priority)
            .Bind(work.Attempt).Bind(work.Failures).Bind(work.Crashes).Bind(work.Rank).Bind(work.DueAt).Bind(work.IsPending ? work.Deadline : null)
            .Bind(work.Deadline).Bind(owner).Bind(key).Bind(lastError).Run();
        _addInput.Bind(work.Number).Bind(input.ValueKind == JsonValueKind.Undefined ? "null" : input.GetRawText()).Run();
    }

    private void Stage(in WorkHead work)
    {
        if (recent.Find(work.Number) is not { Work: { } now } task)
        {
            recent.Stage(work.Number, null);
            return;
        }

        recent.Stage(work.Number, task with
        {
            Work = now with { Attempt = work.Attempt, Failures = work.Failures, Crashes = work.Crashes, DueAt = work.DueAt },
        });
    }

    private WorkHead Keep(in WorkHead work)
    {
        if (_heads.Count >= MaxHeads)
        {
            _heads.Clear();
        }

        return _heads[work.Number] = work;
    }

}
