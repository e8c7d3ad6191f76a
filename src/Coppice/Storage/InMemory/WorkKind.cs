namespace Coppice;

/// <summary>The lanes of one kind, as long as something in them is ready or runs. Guarded by the board.</summary>
internal sealed class WorkKind(string name)
{
    private static readonly Comparer<WorkLane> Turn = Comparer<WorkLane>.Create(static (left, right) => left.Turn.CompareTo(right.Turn));

    private static readonly Comparer<WorkLane> Priority = Comparer<WorkLane>.Create(static (left, right) =>
        left.Priority != right.Priority ? right.Priority.CompareTo(left.Priority) : left.Turn.CompareTo(right.Turn));

    private readonly Dictionary<string, WorkLane> _lanes = new(StringComparer.Ordinal);
    private readonly SortedSet<WorkLane> _byTurn = new(Turn);
    private readonly SortedSet<WorkLane> _byPriority = new(Priority);

    internal string Name { get; } = name;

    internal int Running { get; set; }

    internal bool HasReady => _byTurn.Count > 0;

    internal bool IsEmpty => _lanes.Count == 0;

    /// <summary>Compares lanes of any kinds by what decides whose turn it is.</summary>
    internal static Comparer<WorkLane> Order(bool byAge) => byAge ? Turn : Priority;

    internal WorkLane Lane(string threadId)
    {
        if (!_lanes.TryGetValue(threadId, out var lane))
        {
            _lanes.Add(threadId, lane = new WorkLane(this, threadId));
        }

        return lane;
    }

    /// <summary>Takes a lane out of the order, to change what decides its place.</summary>
    internal void Take(WorkLane lane)
    {
        if (lane.Ready > 0)
        {
            _byTurn.Remove(lane);
            _byPriority.Remove(lane);
        }
    }

    internal void Place(WorkLane lane)
    {
        if (lane.Ready > 0)
        {
            _byTurn.Add(lane);
            _byPriority.Add(lane);
        }
        else
        {
            LetGo(lane);
        }
    }

    /// <summary>Forgets a lane in which nothing is left.</summary>
    internal void LetGo(WorkLane lane)
    {
        if (lane.IsEmpty)
        {
            _lanes.Remove(lane.ThreadId);
        }
    }

    /// <summary>The task that is next here for a host that may take more of the kind.</summary>
    internal WorkItem? Next(KindClaim claim, bool byAge)
    {
        // The first lane mostly has one, and to go through a set costs more than all the rest.
        var lanes = byAge ? _byTurn : _byPriority;
        return lanes.Min is { } first ? Next(first, claim, byAge) ?? Next(lanes, claim, byAge) : null;
    }

    private static WorkItem? Next(SortedSet<WorkLane> lanes, KindClaim claim, bool byAge)
    {
        foreach (var lane in lanes)
        {
            if (Next(lane, claim, byAge) is { } next)
            {
                return next;
            }
        }

        return null;
    }

    private static WorkItem? Next(WorkLane lane, KindClaim claim, bool byAge) =>
        lane.Running < claim.MaxRunningPerThread ? lane.Next(claim.MaxVersion, byAge) : null;
}
