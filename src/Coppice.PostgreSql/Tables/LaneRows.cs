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
