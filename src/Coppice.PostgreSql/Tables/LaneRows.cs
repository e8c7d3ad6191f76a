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

    private readonly Statement _get = connection.Prepare(
        "SELECT running, ready, priority, version, turn FROM {schema}.lanes WHERE owner_thread_id = $1 AND kind = $2");

    private readonly Statement _byPriority = connection.Prepare($"SELECT owner_thread_id {Claimable} {ByPriority}");
    private readonly Statement _byPriorityAmongHeld = connection.Prepare($"SELECT owner_thread_id {Claimable} {AmongHeld} {ByPriority}");
    private readonly Statement _byTurn = connection.Prepare($"SELECT owner_thread_id {Claimable} {ByTurn}");
    private readonly Statement _byTurnAmongHeld = connection.Prepare($"SELECT owner_thread_id {Claimable} {AmongHeld} {ByTurn}");
    private readonly Statement _save = connection.Prepare(
        """
        INSERT INTO {schema}.lanes (owner_thread_id, kind, running, ready, priority, version, turn)
        SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (owner_thread_id, kind) DO UPDATE SET
            running = excluded.running, ready = excluded.ready, priority = excluded.priority, version = excluded.version, turn = excluded.turn
        """);

    private readonly Statement _remove = connection.Prepare(
        "DELETE FROM {schema}.lanes l USING unnest($1, $2) AS gone (thread, kind) WHERE l.owner_thread_id = gone.thread AND l.kind = gone.kind");

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
        var isStored = rows.Next();
        var head = new LaneHead(lane, isStored);
        if (isStored)
        {
            (head.Running, head.Ready) = ((int)rows.Number(0), (int)rows.Number(1));
            (head.Priority, head.Version, head.Turn) = ((int)rows.Number(2), (int)rows.Number(3), rows.Number(4));
        }

        _heads.Add(lane, head);
        return head;
    }

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
            var threads = held.Count == 0
                ? [] : Find(byAge ? _byTurnAmongHeld : _byPriorityAmongHeld, kind, claim, limit).Bind([.. held]).Numbers();
            if (threads.Count == limit || candidates.Count < reach)
            {
                return threads.ConvertAll(thread => NumberOf(kind, thread));
            }
        }
    }

    /// <summary>Writes the lanes that changed. To be called before the transaction commits, and before it makes a mark.</summary>
    public void Save()
    {
        Run(_save, _changed.FindAll(static head => !head.IsEmpty), static head => [head.Running, head.Ready, head.Priority, head.Version, head.Turn]);
        Run(_remove, _changed.FindAll(static head => head is { IsEmpty: true, IsStored: true }), static _ => []);
        foreach (var head in _changed)
        {
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

    private static Statement Find(Statement query, long kind, KindClaim claim, long limit) =>
        query.Bind(kind).Bind(claim.MaxRunningPerThread).Bind(claim.MaxVersion).Bind(limit);

    /// <summary>Runs a statement over lanes, with their threads, their kinds and what else it needs of each as columns.</summary>
    private static void Run(Statement statement, List<LaneHead> lanes, Func<LaneHead, long[]> values)
    {
        if (lanes.Count == 0)
        {
            return;
        }

        statement.Bind([.. lanes.Select(static head => LanePlace.ThreadOf(head.Number))]).Bind([.. lanes.Select(static head => LanePlace.KindOf(head.Number))]);
        var rows = lanes.ConvertAll(head => values(head));
        for (var column = 0; column < rows[0].Length; column++)
        {
            statement.Bind([.. rows.Select(row => row[column])]);
        }

        statement.Run();
    }
}
