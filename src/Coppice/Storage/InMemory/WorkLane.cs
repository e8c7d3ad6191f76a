namespace Coppice;

/// <summary>The ready tasks of one kind in one thread, and how many run. Guarded by the board.</summary>
internal sealed class WorkLane(WorkKind kind, string threadId)
{
    // A host takes no newer version than it knows, and must not look through them all to find an older one.
    private readonly SortedDictionary<int, Order> _versions = [];

    // Mostly there is one version, and to go through a sorted dictionary costs more than all the rest.
    private (int Version, Order Order)? _only;

    internal WorkKind Kind { get; } = kind;

    internal string ThreadId { get; } = threadId;

    internal int Running { get; set; }

    internal int Ready { get; private set; }

    internal long Turn { get; set; }

    /// <summary>Gets the highest priority among the ready tasks.</summary>
    internal int Priority { get; private set; }

    internal bool IsEmpty => Running == 0 && Ready == 0;

    internal void Add(WorkItem item)
    {
        if (!_versions.TryGetValue(item.Version, out var order))
        {
            _versions.Add(item.Version, order = new Order());
            _only = _versions.Count == 1 ? (item.Version, order) : null;
        }

        order.ByPriority.Add(item);
        order.ByRank.Add(item);
        Priority = Ready++ == 0 ? item.Priority : Math.Max(Priority, item.Priority);
    }

    internal void Remove(WorkItem item)
    {
        var order = _versions[item.Version];
        order.ByPriority.Remove(item);
        order.ByRank.Remove(item);
        if (order.ByRank.Count == 0)
        {
            _versions.Remove(item.Version);
            _only = _versions.Count == 1 && _versions.First() is var (version, left) ? (version, left) : null;
        }

        Ready--;
        Priority = Ready == 0 ? 0
            : _only is { } only ? only.Order.ByPriority.Min!.Priority
            : _versions.Values.Max(static each => each.ByPriority.Min!.Priority);
    }

    /// <summary>The next task of no newer version, by priority or by age alone.</summary>
    internal WorkItem? Next(int maxVersion, bool byAge)
    {
        if (_only is { } only)
        {
            return only.Version > maxVersion ? null : byAge ? only.Order.ByRank.Min : only.Order.ByPriority.Min;
        }

        WorkItem? next = null;
        foreach (var (version, order) in _versions)
        {
            if (version > maxVersion)
            {
                break;
            }

            var first = byAge ? order.ByRank.Min! : order.ByPriority.Min!;
            next = next is null || (byAge ? Order.Rank : Order.Priority).Compare(first, next) < 0 ? first : next;
        }

        return next;
    }

    private sealed class Order
    {
        internal static readonly Comparer<WorkItem> Rank = Comparer<WorkItem>.Create(static (left, right) => left.Rank.CompareTo(right.Rank));

        internal static readonly Comparer<WorkItem> Priority = Comparer<WorkItem>.Create(static (left, right) =>
            left.Priority != right.Priority ? right.Priority.CompareTo(left.Priority) : left.Rank.CompareTo(right.Rank));

        internal SortedSet<WorkItem> ByRank { get; } = new(Rank);

        internal SortedSet<WorkItem> ByPriority { get; } = new(Priority);
    }
}
