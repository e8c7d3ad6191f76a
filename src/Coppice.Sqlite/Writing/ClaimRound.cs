namespace Coppice.Sqlite;

/// <summary>Finds out which task goes next, again and again, for a host that claims work.</summary>
internal sealed class ClaimRound
{
    private readonly WriterSession _session;
    private readonly List<AskedKind> _kinds = [];

    public ClaimRound(WriterSession session, IReadOnlyList<KindClaim> kinds, DateTimeOffset now)
    {
        _session = session;
        foreach (var claim in kinds)
        {
            if (session.Kinds.Find(claim.Kind) is { } kind)
            {
                _kinds.Add(new AskedKind(session, claim, kind.Number, StoppedUntil(claim, kind, now)));
            }
        }
    }

    /// <summary>When the next kind that is stopped and has ready tasks may run again.</summary>
    public DateTimeOffset? NextStart() => _kinds.Where(kind => kind.HasReady).Min(kind => kind.StoppedUntil);

    /// <summary>The task that goes next, to be claimed before this is asked again.</summary>
    /// <param name="byAge">Whether priorities do not count.</param>
    public long? Next(bool byAge)
    {
        (AskedKind Kind, LaneHead Lane)? best = null;
        foreach (var kind in _kinds)
        {
            if (kind.Lane(byAge) is { } lane && (best is null || GoesBefore(lane, best.Value.Lane, byAge)))
            {
                best = (kind, lane);
            }
        }

        if (best is not { } next)
        {
            return null;
        }

        next.Kind.Forget();
        return byAge ? Longest(next.Lane.Number, next.Kind.Claim.MaxVersion) : First(next.Lane.Number, next.Kind.Claim.MaxVersion);
    }

    private static bool GoesBefore(LaneHead lane, LaneHead other, bool byAge) =>
        byAge || lane.Priority == other.Priority ? lane.Turn < other.Turn : lane.Priority > other.Priority;

    private long First(long lane, int maxVersion) => Versions(lane, maxVersion).Aggregate(static (best, next) => next.GoesBefore(best) ? next : best).Number;

    private long Longest(long lane, int maxVersion) =>
        Versions(lane, maxVersion).Select(ready => _session.Work.Longest(lane, ready.Version)!.Value).MinBy(static ready => ready.Rank).Number;

    /// <summary>The first ready task of each version that is known.</summary>
    private IEnumerable<ReadyWork> Versions(long lane, int maxVersion)
    {
        for (var next = _session.Work.First(lane, int.MinValue); next is { } ready && ready.Version <= maxVersion; next = _session.Work.First(lane, ready.Version))
        {
            yield return ready;
        }
    }

    /// <summary>As many crashes as there may not be have to be younger than the window; then the kind waits for the first of those to be older.</summary>
    private DateTimeOffset? StoppedUntil(KindClaim claim, KindHead kind, DateTimeOffset now)
    {
        if (claim.MaxCrashes > KindTable.MaxCrashes || _session.Kinds.CrashBefore(kind.Number, claim.MaxCrashes) is not { } crash)
        {
            return null;
        }

        var until = claim.CrashWindow < DateTimeOffset.MaxValue - crash ? crash + claim.CrashWindow : DateTimeOffset.MaxValue;
        return until > now ? until : null;
    }
}
