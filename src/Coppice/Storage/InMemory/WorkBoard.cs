namespace Coppice;

/// <summary>
/// Which tasks wait for a host, in which order they go, and how many run. What it hands out counts as running from then on, so that
/// two hosts never get the same task and limits hold, long before the claim has landed. Its lock is taken inside all others.
/// </summary>
internal sealed class WorkBoard
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, WorkKind> _kinds = new(StringComparer.Ordinal);
    private readonly Dictionary<string, CrashNotes> _crashes = new(StringComparer.Ordinal);
    private readonly SortedSet<WorkItem> _due = new(By(static item => item.DueMs!.Value));
    private readonly SortedSet<WorkItem> _deadlines = new(By(static item => item.DeadlineMs!.Value));

    // One counter for the ranks of tasks and the turns of lanes, which are never compared with each other.
    private long _order;
    private long _claims;

    /// <summary>Gives a pending task its place: a new one, or one whose attempt is over.</summary>
    /// <returns>Whether another task of the kind is ready, for which an attempt that is over made room.</returns>
    internal bool Add(WorkItem item, long nowMs)
    {
        lock (_lock)
        {
            var hasLeft = Leave(item);
            var hasReady = hasLeft && HasReady(item.Kind);
            Wait(item, nowMs);
            return hasReady;
        }
    }

    /// <summary>Takes a task off the board that has ended or is about to.</summary>
    /// <returns>Whether that made room for a task that is ready.</returns>
    internal bool Remove(WorkItem item)
    {
        lock (_lock)
        {
            return Leave(item) && HasReady(item.Kind);
        }
    }

    /// <summary>Gives back what was taken and cannot be used, where it was before.</summary>
    internal void PutBack(WorkItem item, long nowMs)
    {
        lock (_lock)
        {
            Leave(item);
            Wait(item, nowMs, item.Rank);
        }
    }

    internal void NoteCrash(string kind, long ms)
    {
        lock (_lock)
        {
            if (!_crashes.TryGetValue(kind, out var notes))
            {
                _crashes.Add(kind, notes = new CrashNotes());
            }

            notes.Add(ms);
        }
    }

    /// <summary>Takes what has expired and what can be claimed.</summary>
    internal TakenWork Take(ClaimWork claim, long nowMs)
    {
        var asked = claim.Kinds.ToDictionary(static kind => kind.Kind, StringComparer.Ordinal);
        lock (_lock)
        {
            var expired = TakeExpired(nowMs);
            MakeReady(nowMs);
            var claimed = TakeReady([.. asked.Values.Where(kind => StoppedUntil(kind, nowMs) is null)], claim.Limit);
            return new TakenWork(
                expired,
                claimed,
                NextLook(asked.Values, nowMs),
                [.. _kinds.Values.Where(kind => kind.HasReady && !asked.ContainsKey(kind.Name)).Select(static kind => kind.Name).Order(StringComparer.Ordinal)]);
        }
    }

    private static Comparer<WorkItem> By(Func<WorkItem, long> time) => Comparer<WorkItem>.Create((left, right) =>
        time(left) != time(right) ? time(left).CompareTo(time(right)) : left.Number.CompareTo(right.Number));

    private List<WorkItem> TakeExpired(long nowMs)
    {
        var expired = new List<WorkItem>();
        while (expired.Count < WorkRules.MaxExpired && _deadlines.Min is { } first && first.DeadlineMs <= nowMs)
        {
            Leave(first);
            expired.Add(first);
        }

        return expired;
    }

    private void MakeReady(long nowMs)
    {
        for (var count = 0; count < WorkRules.MaxPromoted && _due.Min is { } first && first.DueMs <= nowMs; count++)
        {
            Leave(first);
            Wait(first, nowMs);
        }
    }

    private List<(WorkItem Item, long Claim)> TakeReady(List<KindClaim> kinds, int limit)
    {
        var taken = new List<(WorkItem, long)>();
        while (taken.Count < limit && Next(kinds, byAge: (_claims + 1) % WorkRules.AgeTurn == 0) is { } item)
        {
            Begin(item);
            taken.Add((item, ++_claims));
        }

        return taken;
    }

    private void Begin(WorkItem item)
    {
        if (item.DeadlineMs is not null)
        {
            _deadlines.Remove(item);
        }

        var lane = item.Lane!;
        lane.Kind.Take(lane);
        lane.Remove(item);
        lane.Turn = ++_order;
        lane.Running++;
        lane.Kind.Running++;
        lane.Kind.Place(lane);
        item.Place = WorkPlace.Taken;
    }

    private WorkItem? Next(List<KindClaim> kinds, bool byAge)
    {
        WorkItem? next = null;
        foreach (var claim in kinds)
        {
            if (_kinds.TryGetValue(claim.Kind, out var kind) && kind.Running < claim.MaxRunning && kind.Next(claim, byAge) is { } first
                && (next is null || WorkKind.Order(byAge).Compare(first.Lane!, next.Lane!) < 0))
            {
                next = first;
            }
        }

        return next;
    }

    private long? NextLook(IEnumerable<KindClaim> asked, long nowMs)
    {
        long? next = null;
        Consider(_due.Min?.DueMs);
        Consider(_deadlines.Min?.DeadlineMs);
        foreach (var claim in asked)
        {
            Consider(HasReady(claim.Kind) ? StoppedUntil(claim, nowMs) : null);
        }

        return next is { } ms ? Math.Max(ms, nowMs) : null;

        void Consider(long? ms) => next = ms is { } other && !(next <= other) ? other : next;
    }

    private long? StoppedUntil(KindClaim claim, long nowMs) =>
        _crashes.TryGetValue(claim.Kind, out var notes) ? notes.StoppedUntil(claim, nowMs) : null;

    private bool HasReady(string kind) => _kinds.TryGetValue(kind, out var known) && known.HasReady;

    private WorkLane LaneOf(WorkItem item)
    {
        if (!_kinds.TryGetValue(item.Kind, out var kind))
        {
            _kinds.Add(item.Kind, kind = new WorkKind(item.Kind));
        }

        return kind.Lane(item.Task.Owner.ThreadId);
    }

    private void Wait(WorkItem item, long nowMs, long rank = 0)
    {
        if (item.DeadlineMs is not null)
        {
            _deadlines.Add(item);
        }

        if (item.DueMs > nowMs)
        {
            item.Place = WorkPlace.Delayed;
            _due.Add(item);
            return;
        }

        item.DueMs = null;
        item.Rank = rank > 0 ? rank : ++_order;
        item.Place = WorkPlace.Ready;
        var lane = item.Lane = LaneOf(item);
        if (lane.Ready > 0 && item.Priority <= lane.Priority)
        {
            // It changes nothing about whose turn it is.
            lane.Add(item);
            return;
        }

        lane.Kind.Take(lane);
        if (lane.Ready == 0)
        {
            lane.Turn = ++_order;
        }

        lane.Add(item);
        lane.Kind.Place(lane);
    }

    /// <summary>Takes a task from its place, and tells whether it counted as running.</summary>
    private bool Leave(WorkItem item)
    {
        var place = item.Place;
        item.Place = WorkPlace.None;
        if (place is WorkPlace.Delayed or WorkPlace.Ready && item.DeadlineMs is not null)
        {
            _deadlines.Remove(item);
        }

        if (place == WorkPlace.Delayed)
        {
            _due.Remove(item);
        }

        if (item.Lane is { } lane)
        {
            item.Lane = null;
            if (place == WorkPlace.Ready)
            {
                lane.Kind.Take(lane);
                lane.Remove(item);
                lane.Kind.Place(lane);
            }
            else
            {
                lane.Running--;
                lane.Kind.Running--;
                lane.Kind.LetGo(lane);
            }

            if (lane.Kind.IsEmpty)
            {
                _kinds.Remove(lane.Kind.Name);
            }
        }

        return place == WorkPlace.Taken;
    }
}

/// <summary>What a claim took off the board.</summary>
/// <param name="Expired">What fails, because its deadline has come.</param>
/// <param name="Claimed">What was claimed, each with its claim.</param>
/// <param name="NextLook">When there is something to do next, in milliseconds since 1970.</param>
/// <param name="UnknownKinds">The kinds of ready tasks that were not asked for.</param>
internal sealed record TakenWork(
    List<WorkItem> Expired, List<(WorkItem Item, long Claim)> Claimed, long? NextLook, IReadOnlyList<string> UnknownKinds)
{
    internal bool IsEmpty => Expired.Count + Claimed.Count == 0;
}
