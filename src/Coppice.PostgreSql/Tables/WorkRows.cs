using System.Text.Json;

namespace Coppice.PostgreSql;

/// <summary>The writer's statements on the work of tasks. Heads are in memory until the transaction ends, under their threads' locks.</summary>
internal sealed class WorkRows(WriterConnection connection, TaskOwners owners) : IWorkRows
{
    private const string DueSql = "SELECT n, owner_thread_id FROM {schema}.work WHERE due_ms <= $1";
    private const string ExpiredSql = "SELECT n, owner_thread_id FROM {schema}.work WHERE expires_ms <= $1";
    private const string AmongHeld = "AND owner_thread_id = ANY ($3)";
    private const string ByDue = "ORDER BY due_ms, n LIMIT $2";
    private const string ByExpiry = "ORDER BY expires_ms, n LIMIT $2";

    // The tasks that ITaskRows.Prune will forget.
    private const string Old =
        """
        {schema}.tasks t WHERE kind IS NOT NULL AND state >= 3 AND coalesce(completed_ms, created_ms) < $1
            AND NOT EXISTS (SELECT 1 FROM {schema}.branches b WHERE b.owner_thread_id = t.owner_thread_id AND b.n = t.n)
        """;

    private readonly Statement _head = connection.Prepare(
        """
        SELECT kind, version, recovery, max_crashes, priority, deadline_ms, attempt, failures, crashes, claim, rank, due_ms, has_steps, has_checkpoint
        FROM {schema}.work WHERE owner_thread_id = $1 AND n = $2
        """);

    private readonly Images<WorkImage> _images = connection.Add(MakeImages(connection.InSchema("{schema}.work")));
    private readonly Statement _byKey = connection.Prepare(
        """
        SELECT n FROM {schema}.work
        WHERE owner_thread_id = $1 AND hashtextextended(key, 0) = hashtextextended($2, 0) AND key = $2 AND NOT restored
        """);

    private readonly Statement _first = connection.Prepare(
        """
        SELECT n, version, priority, rank FROM {schema}.work WHERE owner_thread_id = $1 AND kind = $2 AND version > $3 AND rank IS NOT NULL
        ORDER BY version, priority DESC, rank LIMIT 1
        """);

    private readonly Statement _ready = connection.Prepare(
        """
        SELECT n, version, priority, rank FROM {schema}.work WHERE owner_thread_id = $1 AND kind = $2 AND version = $3 AND rank IS NOT NULL
        ORDER BY priority DESC, rank LIMIT $4
        """);

    // Most tasks have the priority 0 and need no index of their own for this: among them, the other one is in the order of ranks too.
    private readonly Statement _longest = connection.Prepare(
        """
        (SELECT n, version, priority, rank FROM {schema}.work
            WHERE owner_thread_id = $1 AND kind = $2 AND version = $3 AND priority = 0 AND rank IS NOT NULL ORDER BY rank LIMIT 1)
        UNION ALL (SELECT n, version, priority, rank FROM {schema}.work
            WHERE owner_thread_id = $1 AND kind = $2 AND version = $3 AND priority <> 0 AND rank IS NOT NULL ORDER BY rank LIMIT 1)
        ORDER BY rank LIMIT 1
        """);

    private readonly Statement _due = connection.Prepare($"{DueSql} {ByDue}");
    private readonly Statement _dueAmongHeld = connection.Prepare($"{DueSql} {AmongHeld} {ByDue}");
    private readonly Statement _expired = connection.Prepare($"{ExpiredSql} {ByExpiry}");
    private readonly Statement _expiredAmongHeld = connection.Prepare($"{ExpiredSql} {AmongHeld} {ByExpiry}");
    private readonly Statement _nextTime = connection.Prepare(
        """
        SELECT least(
            (SELECT min(due_ms) FROM {schema}.work WHERE due_ms IS NOT NULL),
            (SELECT min(expires_ms) FROM {schema}.work WHERE expires_ms IS NOT NULL))
        """);

    private readonly Statement _oldOwners = connection.Prepare($"SELECT DISTINCT owner_thread_id FROM {Old}");
    private readonly Statement _prune = connection.Prepare(
        $$"""
        DELETE FROM {schema}.work w USING (SELECT owner_thread_id, n FROM {{Old}} AND t.owner_thread_id = ANY ($2)) old
        WHERE w.owner_thread_id = old.owner_thread_id AND w.n = old.n
        """);

    private readonly Statement _remove = connection.Prepare("DELETE FROM {schema}.work WHERE owner_thread_id = $1 AND n = $2");
    private readonly Dictionary<long, WorkHead> _heads = [];
    private readonly Dictionary<(long Owner, string Key), long?> _keys = [];

    public WorkHead Head(long number)
    {
        if (_heads.TryGetValue(number, out var known))
        {
            return known;
        }

        var owner = owners.Of(number) ?? throw NotThere(number);
        connection.Lock(owner);
        using var rows = _head.Bind(owner).Bind(number).Rows();
        if (!rows.Next())
        {
            throw NotThere(number);
        }

        return _heads[number] = ReadHead(number, owner, rows, 0);
    }

    /// <summary>Reads the columns that make a head.</summary>
    public static WorkHead ReadHead(long number, long owner, RowScope rows, int from)
    {
        var kind = rows.Number(from);
        return new WorkHead(
            number, kind, LanePlace.Of(kind, owner), (int)rows.Number(from + 1), (RecoveryPolicy)rows.Number(from + 2), (int)rows.Number(from + 3),
            (int)rows.Number(from + 4), rows.TimeOrNull(from + 5))
        {
            Attempt = (int)rows.Number(from + 6),
            Failures = (int)rows.Number(from + 7),
            Crashes = (int)rows.Number(from + 8),
            Claim = rows.Number(from + 9),
            Rank = rows.NumberOrNull(from + 10),
            DueAt = rows.TimeOrNull(from + 11),
            HasSteps = rows.Flag(from + 12),
            HasCheckpoint = rows.Flag(from + 13),
        };
    }

    /// <summary>Gets or sets what reads the tasks that are likely to be claimed.</summary>
    public TaskQuestions? Ahead { get; set; }

    /// <summary>Takes in what was read of a task that the transaction has locked.</summary>
    public void Know(in WorkHead head) => _heads.TryAdd(head.Number, head);

    /// <summary>Takes in which task of a thread, which the transaction has locked, was added with a key.</summary>
    public void KnowKey(long owner, string key, long? number) => _keys.TryAdd((owner, key), number);

    public void Add(in WorkHead head, long owner, NewWork work)
    {
        Add(head, owner, isRestored: false, work.IdempotencyKey, lastError: null, work.Input);
        _heads[head.Number] = head;
    }

    public void Add(long number, long kind, long owner, TaskWork work)
    {
        var head = new WorkHead(
            number, kind, LanePlace.Of(kind, owner), work.Version, work.Recovery, MaxCrashes: int.MaxValue, work.Priority, WorkHead.Storable(work.Deadline))
        {
            Attempt = work.Attempt,
            Failures = work.Failures,
            Crashes = work.Crashes,
        };
        Add(head, owner, isRestored: true, work.IdempotencyKey, work.LastError, work.Input);
    }

    public void Set(in WorkHead work) => Change(new WorkImage(work, LanePlace.ThreadOf(work.Lane)));

    public void SetError(in WorkHead work, string lastError)
    {
        var now = _heads.GetValueOrDefault(work.Number, work);
        Change(new WorkImage(now, LanePlace.ThreadOf(now.Lane)) { LastError = lastError });
    }

    public void End(in WorkHead work) => Set(work);

    public long? FindByKey(long owner, string key)
    {
        if (!_keys.TryGetValue((owner, key), out var number))
        {
            connection.Lock(owner);
            _keys[(owner, key)] = number = _byKey.Bind(owner).Bind(key).Scalar();
        }

        return number;
    }

    public ReadyWork? First(long lane, int aboveVersion) => Only(Of(lane, _first).Bind(aboveVersion), lane);

    public IReadOnlyList<ReadyWork> Ready(long lane, int version, int limit) => Read(Of(lane, _ready).Bind(version).Bind(limit), lane);

    public ReadyWork? Longest(long lane, int version) => Only(Of(lane, _longest).Bind(version), lane);

    public IReadOnlyList<long> Due(DateTimeOffset now, int limit) => Come(_due, _dueAmongHeld, now, limit);

    public IReadOnlyList<long> Expired(DateTimeOffset now, int limit) => Come(_expired, _expiredAmongHeld, now, limit);

    /// <inheritdoc/>
    /// <remarks>Where something was left out because others had it locked, the next look is at once.</remarks>
    public DateTimeOffset? NextTime() =>
        connection.HasSkipped ? DateTimeOffset.UnixEpoch : _nextTime.Scalar() is { } ms ? DateTimeOffset.FromUnixTimeMilliseconds(ms) : null;

    public void Prune(DateTimeOffset endedBefore)
    {
        var locked = new HashSet<long>();
        while (_oldOwners.Bind(endedBefore).Numbers() is var found && !locked.IsSupersetOf(found))
        {
            connection.LockAll(found);
            locked.UnionWith(found);
        }

        if (locked.Count > 0)
        {
            _prune.Bind(endedBefore).Bind([.. locked]).Run();
            Forget();
        }
    }

    public void Remove(long number)
    {
        if (owners.Of(number) is { } owner)
        {
            connection.Lock(owner);
            _remove.Bind(owner).Bind(number).Run();
            _heads.Remove(number);
            _keys.Clear();
        }
    }

    /// <summary>Lets go of what is in memory, because a transaction begins or the table has been set back.</summary>
    public void Forget()
    {
        _heads.Clear();
        _keys.Clear();
    }

    private static InvalidOperationException NotThere(long number) => new($"The task {number} has no work.");

    private ReadyWork? Only(Statement query, long lane) => Read(query, lane) is [var first] ? first : null;

    /// <summary>Reads ready tasks, and what is asked of them when they are claimed.</summary>
    private List<ReadyWork> Read(Statement query, long lane)
    {
        var ready = new List<ReadyWork>();
        using (var rows = query.Rows())
        {
            while (rows.Next())
            {
                ready.Add(new ReadyWork(rows.Number(0), (int)rows.Number(1), (int)rows.Number(2), rows.Number(3)));
            }
        }

        var unknown = ready.FindAll(task => !_heads.ContainsKey(task.Number));
        if (unknown.Count > 0)
        {
            Ahead?.Know(unknown.ConvertAll(task => (LanePlace.ThreadOf(lane), task.Number)));
        }

        return ready;
    }

    /// <summary>The tasks whose time has come, of threads that nobody else holds.</summary>
    private List<long> Come(Statement candidates, Statement amongHeld, DateTimeOffset now, int limit)
    {
        var threads = new HashSet<long>();
        using (var rows = candidates.Bind(now).Bind(limit).Rows())
        {
            while (rows.Next())
            {
                threads.Add(rows.Number(1));
            }
        }

        var held = connection.LockFree(threads);
        return held.Count == 0 ? [] : amongHeld.Bind(now).Bind(limit).Bind([.. held]).Numbers();
    }

    private void Add(in WorkHead work, long owner, bool isRestored, string? key, string? lastError, JsonElement input)
    {
        var json = input.ValueKind == JsonValueKind.Undefined ? "null" : input.GetRawText();
        connection.Lock(owner);
        _images.Insert(work.Number, new WorkImage(work, owner) { LastError = lastError, New = new NewWorkRow(isRestored, key, json) });
        if (key is not null && !isRestored)
        {
            _keys[(owner, key)] = work.Number;
        }
    }

    private void Change(WorkImage image)
    {
        connection.Lock(image.Owner);
        _images.Update(image.Head.Number, image);
        _heads[image.Head.Number] = image.Head;
    }

    /// <summary>Binds a statement to the work of a lane.</summary>
    private Statement Of(long lane, Statement statement)
    {
        connection.Lock(LanePlace.ThreadOf(lane));
        return statement.Bind(LanePlace.ThreadOf(lane)).Bind(LanePlace.KindOf(lane));
    }

    private static Images<WorkImage> MakeImages(string table)
    {
        Column<WorkImage>[] key = [Number("owner_thread_id", static row => row.Owner), Number("n", static row => row.Head.Number)];
        Column<WorkImage>[] changing =
        [
            Number("attempt", static row => row.Head.Attempt),
            Number("failures", static row => row.Head.Failures),
            Number("crashes", static row => row.Head.Crashes),
            Number("claim", static row => row.Head.Claim),
            Number("rank", static row => row.Head.Rank),
            Number("due_ms", static row => row.Head.DueAt?.ToUnixTimeMilliseconds()),
            Number("expires_ms", static row => row.Head.IsPending ? row.Head.Deadline?.ToUnixTimeMilliseconds() : null),
            new FlagColumn<WorkImage>("has_steps", static row => row.Head.HasSteps),
            new FlagColumn<WorkImage>("has_checkpoint", static row => row.Head.HasCheckpoint),
            new TextColumn<WorkImage>("last_error", static row => row.LastError) { IsSetOnce = true },
        ];
        Column<WorkImage>[] lasting =
        [
            Number("kind", static row => row.Head.Kind),
            Number("version", static row => row.Head.Version),
            Number("recovery", static row => (long)row.Head.Recovery),
            Number("max_crashes", static row => row.Head.MaxCrashes),
            Number("priority", static row => row.Head.Priority),
            Number("deadline_ms", static row => row.Head.Deadline?.ToUnixTimeMilliseconds()),
            new FlagColumn<WorkImage>("restored", static row => row.New!.IsRestored),
            new TextColumn<WorkImage>("key", static row => row.New!.Key),
            new TextColumn<WorkImage>("input", static row => row.New!.Input),
        ];
        return new(
            RowWriter<WorkImage>.Inserts(table, [.. key, .. changing, .. lasting]), RowWriter<WorkImage>.Updates(table, key, changing), delete: null,
            WorkImage.Over);

        static NumberColumn<WorkImage> Number(string name, Func<WorkImage, long?> value) => new(name, value);
    }
}
