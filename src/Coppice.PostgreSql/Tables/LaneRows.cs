namespace Coppice.PostgreSql;

/// <summary>
/// The writer's statements on lanes. Those that were used are in memory until the transaction ends, under their threads' locks; those that change
/// are written by <see cref="Save"/>, so that a lane that comes and goes within a transaction costs nothing.
/// </summary>
internal sealed class LaneRows(WriterConnection connection) : ILaneRows
{
    private const string Claimable = "FROM {schema}.lanes WHERE kind = $1 AND ready > 0 AND running < $2 AND version <= $3";
    private const string AmongHeld = "AND owner_thread_id = ANY ($5)";
    private const string ByPriority = "ORDER BY priority DESC, turn LIMIT $4";
    private const string ByTurn = "ORDER BY turn LIMIT $4";
    private const string Columns = "owner_thread_id, running, ready, priority, version, turn";

    // How many lanes are known by their ready tasks at once, and how many of those: more are read when a lane comes to them.
    private const int MostLanes = 64;
    private const int MostReady = 4;

    private readonly Statement _get = connection.Prepare(
        $"SELECT {Columns} FROM {{schema}}.lanes WHERE owner_thread_id = $1 AND kind = $2");

    private readonly Statement _byPriority = connection.Prepare($"SELECT owner_thread_id {Claimable} {ByPriority}");
    private readonly Statement _byPriorityAmongHeld = connection.Prepare($"SELECT {Columns} {Claimable} {AmongHeld} {ByPriority}");
    private readonly Statement _byTurn = connection.Prepare($"SELECT owner_thread_id {Claimable} {ByTurn}");
    private readonly Statement _byTurnAmongHeld = connection.Prepare($"SELECT {Columns} {Claimable} {AmongHeld} {ByTurn}");
    private readonly Statement _ready = connection.Prepare(
        """
        SELECT a.thread, w.n, w.version, w.priority, w.rank FROM unnest($1) AS a (thread), LATERAL (
            SELECT n, version, priority, rank FROM {schema}.work WHERE owner_thread_id = a.thread AND kind = $2 AND rank IS NOT NULL
            ORDER BY version, priority DESC, rank LIMIT $3) w
        """);

    private readonly Images<LaneImage> _images = connection.Add(MakeImages(connection.InSchema("{schema}.lanes")));
    private readonly Dictionary<long, LaneHead> _heads = [];
    private readonly List<LaneHead> _changed = [];

    public IReadOnlyList<LaneHead> Changed => _changed;

    public static long ThreadOf(long lane) => LanePlace.ThreadOf(lane);

    public long NumberOf(long kind, long thread) => LanePlace.Of(kind, thread);

    public long KindOf(long lane) => LanePlace.KindOf(lane);

    public LaneHead Head(long lane)
    {
        if (_heads.TryGetValue(lane, out var known))
        {
            return known;
        }

        connection.Lock(ThreadOf(lane));
        using var rows = _get.Bind(ThreadOf(lane)).Bind(KindOf(lane)).Rows();
        return _heads[lane] = rows.Next() ? Read(lane, rows, 1) : new LaneHead(lane, isStored: false);
    }

    /// <summary>Gets or sets what reads the tasks that are likely to be claimed.</summary>
    public TaskQuestions? Ahead { get; set; }

    /// <summary>Takes in a lane of a thread that the transaction has locked: its columns, or that there is none.</summary>
    /// <param name="lane">The lane.</param>
    /// <param name="rows">A row.</param>
    /// <param name="from">Where in it the columns of the lane begin, the first of which is NULL where there is none.</param>
    public void Know(long lane, RowScope rows, int from)
    {
        if (!_heads.ContainsKey(lane))
        {
            _heads.Add(lane, rows.IsNull(from) ? new LaneHead(lane, isStored: false) : Read(lane, rows, from));
        }
    }

    /// <summary>Whether a lane of a kind that is in memory has a ready task.</summary>
    public bool HasReadyAtHand(long kind)
    {
        foreach (var head in _heads.Values)
        {
            if (head.Ready > 0 && KindOf(head.Number) == kind)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The head of a lane, if it is in memory.</summary>
    public LaneHead? AtHand(long lane) => _heads.GetValueOrDefault(lane);

    public LaneHead Changing(long lane)
    {
        var head = Head(lane);
        if (!head.IsChanged)
        {
            head.IsChanged = true;
            _changed.Add(head);
        }

        return head;
    }

    public void Began(LaneHead lane) => lane.Running++;

    public void Stopped(LaneHead lane) => lane.Running--;

    public bool HasRoom(LaneHead lane, int maxRunning) => lane.Running < maxRunning;

    /// <inheritdoc/>
    /// <remarks>
    /// Lanes of threads that others hold are left out. While that leaves fewer than were asked for, it looks further: fewer mean to the
    /// caller that there are no more, and the first lanes may be just those that another host claims from.
    /// </remarks>
    public IReadOnlyList<long> Stored(long kind, KindClaim claim, bool byAge, int limit)
    {
        for (long reach = limit; ; reach *= 2)
        {
            var candidates = Find(byAge ? _byTurn : _byPriority, kind, claim, reach).Numbers();
            var held = connection.LockFree(candidates);
            var stored = held.Count == 0 ? [] : Read(Find(byAge ? _byTurnAmongHeld : _byPriorityAmongHeld, kind, claim, limit).Bind([.. held]), kind);
            if (stored.Count == limit || candidates.Count < reach)
            {
                ReadAhead(kind, stored);
                return stored.ConvertAll(static head => head.Number);
            }
        }
    }

    /// <summary>Notes the lanes that changed. To be called before the transaction commits, and before it makes a mark.</summary>
    public void Save()
    {
        foreach (var head in _changed)
        {
            var image = new LaneImage(head.Number, head.Running, head.Ready, head.Priority, head.Version, head.Turn);
            if (!head.IsEmpty)
            {
                _images.Update(head.Number, image);
            }
            else if (head.IsStored)
            {
                _images.Delete(head.Number, image);
            }

            head.IsStored = !head.IsEmpty;
            head.IsChanged = false;
        }

        _changed.Clear();
    }

    /// <summary>Lets go of what is in memory, because a transaction begins or the table has been set back.</summary>
    public void Forget()
    {
        _heads.Clear();
        _changed.Clear();
    }

    private static LaneHead Read(long lane, RowScope rows, int from) => new(lane, isStored: true)
    {
        Running = (int)rows.Number(from),
        Ready = (int)rows.Number(from + 1),
        Priority = (int)rows.Number(from + 2),
        Version = (int)rows.Number(from + 3),
        Turn = rows.Number(from + 4),
    };

    private static List<ReadyQueue> Queues(IEnumerable<ReadyWork> all)
    {
        var queues = new List<ReadyQueue>(1);
        foreach (var version in all.GroupBy(static ready => ready.Version).OrderBy(static version => version.Key))
        {
            var queue = new ReadyQueue(version.Key);
            queue.Read(version.OrderByDescending(static ready => ready.Priority).ThenBy(static ready => ready.Rank), isAll: true);
            queues.Add(queue);
        }

        return queues;
    }

    private List<LaneHead> Read(Statement query, long kind)
    {
        var heads = new List<LaneHead>();
        using var rows = query.Rows();
        while (rows.Next())
        {
            var lane = NumberOf(kind, rows.Number(0));
            if (!_heads.TryGetValue(lane, out var head))
            {
                _heads.Add(lane, head = Read(lane, rows, 1));
            }

            heads.Add(head);
        }

        return heads;
    }

    /// <summary>Reads the ready tasks of lanes that are likely to be claimed from, so that it need not be done lane by lane.</summary>
    private void ReadAhead(long kind, List<LaneHead> lanes)
    {
        if (Ahead is null || lanes.Count is 0 or > MostLanes)
        {
            return;
        }

        var found = new List<(long Thread, ReadyWork Ready)>();
        using (var rows = _ready.Bind([.. lanes.Select(static lane => ThreadOf(lane.Number))]).Bind(kind).Bind(MostReady).Rows())
        {
            while (rows.Next())
            {
                found.Add((rows.Number(0), new ReadyWork(rows.Number(1), (int)rows.Number(2), (int)rows.Number(3), rows.Number(4))));
            }
        }

        Ahead.Know(found.ConvertAll(static task => (task.Thread, task.Ready.Number)));
        var ready = found.ToLookup(static task => task.Thread, static task => task.Ready);
        foreach (var lane in lanes)
        {
            if (lane is { IsChanged: false, Queues: null } && ready[ThreadOf(lane.Number)].Count() == lane.Ready)
            {
                lane.Queues = Queues(ready[ThreadOf(lane.Number)]);
            }
        }
    }

    private static Statement Find(Statement query, long kind, KindClaim claim, long limit) =>
        query.Bind(kind).Bind(claim.MaxRunningPerThread).Bind(claim.MaxVersion).Bind(limit);

    private static Images<LaneImage> MakeImages(string table)
    {
        Column<LaneImage>[] key = [Number("owner_thread_id", static row => ThreadOf(row.Lane)), Number("kind", static row => LanePlace.KindOf(row.Lane))];
        Column<LaneImage>[] values =
        [
            Number("running", static row => row.Running),
            Number("ready", static row => row.Ready),
            Number("priority", static row => row.Priority),
            Number("version", static row => row.Version),
            Number("turn", static row => row.Turn),
        ];

        // A lane that changes may be one that the table does not have yet.
        var save = RowWriter<LaneImage>.Inserts(
            table, [.. key, .. values],
            $"ON CONFLICT (owner_thread_id, kind) DO UPDATE SET {string.Join(", ", values.Select(static column => $"{column.Name} = excluded.{column.Name}"))}");
        return new(insert: null, save, RowWriter<LaneImage>.Deletes(table, key), static (_, now) => now);

        static NumberColumn<LaneImage> Number(string name, Func<LaneImage, long?> value) => new(name, value);
    }

    private readonly record struct LaneImage(long Lane, long Running, long Ready, long Priority, long Version, long Turn);
}
