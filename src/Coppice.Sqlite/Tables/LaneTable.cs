namespace Coppice.Sqlite;

/// <summary>The writer's statements on lanes. One that comes and goes within a transaction is never written.</summary>
internal sealed class LaneTable(Connection connection) : HeadTable<LaneHead>(MaxHeads), ILaneRows
{
    internal const string ByPrioritySql =
        "SELECT n FROM lanes INDEXED BY lanes_by_priority WHERE kind = ? AND ready > 0 AND running < ? AND version <= ? ORDER BY priority DESC, turn LIMIT ?";

    // Most lanes have the priority 0 and need no index of their own for this: among them, the other one is in the order of turns too.
    internal const string ByTurnSql =
        """
        SELECT n FROM (SELECT * FROM (
            SELECT n, turn FROM lanes INDEXED BY lanes_by_priority
            WHERE kind = ?1 AND priority = 0 AND ready > 0 AND running < ?2 AND version <= ?3 ORDER BY turn LIMIT ?4)
        UNION ALL SELECT * FROM (
            SELECT n, turn FROM lanes INDEXED BY lanes_by_turn
            WHERE kind = ?1 AND priority <> 0 AND ready > 0 AND running < ?2 AND version <= ?3 ORDER BY turn LIMIT ?4))
        ORDER BY turn LIMIT ?4
        """;

    private const int MaxHeads = 8192;

    private readonly Statement _get = connection.Prepare("SELECT running, ready, priority, version, turn FROM lanes WHERE n = ?");
    private readonly Statement _byPriority = connection.Prepare(ByPrioritySql);
    private readonly Statement _byTurn = connection.Prepare(ByTurnSql);
    private readonly Statement _add = connection.Prepare(
        "INSERT INTO lanes (n, kind, running, ready, priority, version, turn) VALUES (?, ?, ?, ?, ?, ?, ?)");

    private readonly Statement _save = connection.Prepare(
        "UPDATE lanes SET running = ?, ready = ?, priority = ?, version = ?, turn = ? WHERE n = ?");

    private readonly Statement _remove = connection.Prepare("DELETE FROM lanes WHERE n = ?");

    /// <summary>The first lanes of a kind that have room and a task of a version that is known, as the table has them.</summary>
    /// <param name="kind">The kind.</param>
    /// <param name="claim">What its host takes.</param>
    /// <param name="byAge">Whether they stand by their turns alone, and not by priority first.</param>
    /// <param name="limit">How many at the most.</param>
    public IReadOnlyList<long> Stored(long kind, KindClaim claim, bool byAge, int limit) =>
        (byAge ? _byTurn : _byPriority).Bind(kind).Bind(claim.MaxRunningPerThread).Bind(claim.MaxVersion).Bind(limit).Numbers();

    public long NumberOf(long kind, long thread) => LanePlace.Of(kind, thread);

    public long KindOf(long lane) => LanePlace.KindOf(lane);

    public void Began(LaneHead lane) => lane.Running++;

    public void Stopped(LaneHead lane) => lane.Running--;

    public bool HasRoom(LaneHead lane, int maxRunning) => lane.Running < maxRunning;

    protected override LaneHead Read(long number)
    {
        using var rows = _get.Bind(number).Rows();
        var isStored = rows.Next();
        var head = new LaneHead(number, isStored);
        if (isStored)
        {
            (head.Running, head.Ready) = ((int)rows.Number(0), (int)rows.Number(1));
            (head.Priority, head.Version, head.Turn) = ((int)rows.Number(2), (int)rows.Number(3), rows.Number(4));
        }

        return Keep(head);
    }

    protected override void Save(LaneHead head)
    {
        if (head.IsEmpty)
        {
            if (head.IsStored)
            {
                _remove.Bind(head.Number).Run();
            }

            Drop(head.Number);
        }
        else if (head.IsStored)
        {
            _save.Bind(head.Running).Bind(head.Ready).Bind(head.Priority).Bind(head.Version).Bind(head.Turn).Bind(head.Number).Run();
        }
        else
        {
            _add.Bind(head.Number).Bind(LanePlace.KindOf(head.Number)).Bind(head.Running).Bind(head.Ready).Bind(head.Priority).Bind(head.Version)
                .Bind(head.Turn).Run();
            head.IsStored = true;
        }
    }
}
