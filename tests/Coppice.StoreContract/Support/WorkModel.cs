namespace Coppice.StoreContract;

/// <summary>The rules of claims written down a second time, as plainly as can be: lists that are searched from end to end.</summary>
internal sealed class WorkModel
{
    private readonly Dictionary<(string Kind, string Thread), long> _turns = [];
    private readonly List<(string Kind, DateTimeOffset At)> _crashes = [];
    private long _order;
    private long _claims;

    internal sealed record Item(string Id, string Thread, NewWork Work, long Number)
    {
        internal TaskState State { get; set; }

        internal DateTimeOffset? DueAt { get; set; }

        internal long Rank { get; set; }

        internal HostFence Host { get; set; }

        internal long Claim { get; set; }

        internal int Attempt { get; set; }

        internal int Crashes { get; set; }

        internal bool IsReady => State == TaskState.Pending && Rank > 0;
    }

    internal List<Item> Items { get; } = [];

    internal IReadOnlyList<Item> Running => [.. Items.Where(static item => item.State == TaskState.Running)];

    internal void Add(string id, string thread, NewWork work, DateTimeOffset now)
    {
        Items.Add(new Item(id, thread, work, Items.Count));
        Wait(Items[^1], work.DueAt, now);
    }

    internal void HandBack(Item item, DateTimeOffset? dueAt, bool hasFailed, DateTimeOffset now)
    {
        item.Attempt -= hasFailed ? 0 : 1;
        Wait(item, dueAt, now);
    }

    internal static void End(Item item, TaskState state)
    {
        item.State = state;
        item.Rank = 0;
        item.DueAt = null;
    }

    internal (List<string> Orphans, List<string> Recovered) Settle(HostFence host, DateTimeOffset now)
    {
        var left = Running.Where(item => item.Host == host).ToList();
        _crashes.AddRange(left.Select(static item => item.Work.Kind).Distinct().Select(kind => (kind, now)));
        var (orphans, recovered) = (new List<string>(), new List<string>());
        foreach (var item in left)
        {
            if (item.Work.Recovery == RecoveryPolicy.Never || ++item.Crashes >= item.Work.MaxCrashes)
            {
                End(item, TaskState.Failed);
                orphans.Add(item.Id);
            }
            else
            {
                Wait(item, null, now);
                recovered.Add(item.Id);
            }
        }

        return (orphans, recovered);
    }

    internal (List<Item> Claimed, DateTimeOffset? NextLook, List<string> UnknownKinds, int Expired) Claim(
        HostFence host, IReadOnlyList<KindClaim> kinds, int limit, DateTimeOffset now)
    {
        var expired = Items.Where(item => item.State == TaskState.Pending && item.Work.Deadline <= now).ToList();
        expired.ForEach(static item => End(item, TaskState.Failed));
        foreach (var due in Items.Where(item => item.State == TaskState.Pending && item.DueAt <= now).OrderBy(static item => item.DueAt).ThenBy(static item => item.Number).ToList())
        {
            Wait(due, null, now);
        }

        var claimed = new List<Item>();
        while (claimed.Count < limit && Next(kinds, now) is { } next)
        {
            next.State = TaskState.Running;
            next.Rank = 0;
            next.Host = host;
            next.Claim = ++_claims;
            next.Attempt++;
            _turns[(next.Work.Kind, next.Thread)] = ++_order;
            claimed.Add(next);
        }

        var ready = Items.Where(static item => item.IsReady).Select(static item => item.Work.Kind).Distinct().ToList();
        var look = Items.Where(static item => item.State == TaskState.Pending).Select(static item => item.DueAt)
            .Concat(Items.Where(static item => item.State == TaskState.Pending).Select(static item => item.Work.Deadline))
            .Concat(kinds.Where(kind => ready.Contains(kind.Kind)).Select(kind => StoppedUntil(kind, now)))
            .Where(static time => time is not null).DefaultIfEmpty(null).Min();
        return (claimed, look, [.. ready.Except(kinds.Select(static kind => kind.Kind)).Order(StringComparer.Ordinal)], expired.Count);
    }

    private Item? Next(IReadOnlyList<KindClaim> kinds, DateTimeOffset now)
    {
        var byAge = (_claims + 1) % WorkRules.AgeTurn == 0;
        var lanes = Items.Where(static item => item.IsReady).GroupBy(static item => (item.Work.Kind, item.Thread))
            .OrderByDescending(lane => byAge ? 0 : (long)lane.Max(static item => item.Work.Priority))
            .ThenBy(lane => _turns[lane.Key]);
        foreach (var lane in lanes)
        {
            if (kinds.FirstOrDefault(kind => kind.Kind == lane.Key.Kind) is { } kind
                && Running.Count(item => item.Work.Kind == kind.Kind) < kind.MaxRunning
                && Running.Count(item => item.Work.Kind == kind.Kind && item.Thread == lane.Key.Thread) < kind.MaxRunningPerThread
                && StoppedUntil(kind, now) is null
                && lane.Where(item => item.Work.Version <= kind.MaxVersion)
                    .OrderByDescending(item => byAge ? 0 : (long)item.Work.Priority).ThenBy(static item => item.Rank).FirstOrDefault() is { } next)
            {
                return next;
            }
        }

        return null;
    }

    private DateTimeOffset? StoppedUntil(KindClaim kind, DateTimeOffset now)
    {
        var counted = _crashes.Where(crash => crash.Kind == kind.Kind && crash.At > now - kind.CrashWindow).Select(static crash => crash.At).Order().ToList();
        return counted.Count >= kind.MaxCrashes ? counted[^kind.MaxCrashes] + kind.CrashWindow : null;
    }

    private void Wait(Item item, DateTimeOffset? dueAt, DateTimeOffset now)
    {
        item.State = TaskState.Pending;
        item.Claim = 0;
        item.DueAt = dueAt > now ? dueAt : null;
        if (item.DueAt is null)
        {
            var isFirst = !Items.Exists(other => other.IsReady && other.Work.Kind == item.Work.Kind && other.Thread == item.Thread);
            item.Rank = ++_order;
            if (isFirst)
            {
                _turns[(item.Work.Kind, item.Thread)] = ++_order;
            }
        }
        else
        {
            item.Rank = 0;
        }
    }
}
