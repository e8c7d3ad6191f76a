namespace Coppice.Rows;

/// <summary>Finds out which task goes next, again and again, for a host that claims work.</summary>
internal sealed class ClaimRound
{
    private readonly BatchContext _context;
    private readonly WorkQueue _queue;
    private readonly List<AskedKind> _kinds = [];
    private (AskedKind Kind, LaneHead Lane)? _last;

    public ClaimRound(BatchContext context, WorkQueue queue, IReadOnlyList<KindClaim> kinds)
    {
        (_context, _queue) = (context, queue);
        foreach (var claim in kinds)
        {
            if (context.Kinds.Find(claim.Kind) is { } kind)
            {
                _kinds.Add(new AskedKind(context, claim, kind, StoppedUntil(claim, kind)));
            }
        }
    }

    /// <summary>When the next kind that is stopped and has ready tasks may run again.</summary>
    public DateTimeOffset? NextStart() => _kinds.Where(kind => kind.HasReady).Min(kind => kind.StoppedUntil);

    /// <summary>The task that goes next, to be claimed before this is asked again.</summary>
    /// <param name="byAge">Whether priorities do not count.</param>
    public long? Next(bool byAge)
    {
        _last?.Kind.Note(_last.Value.Lane);
        (AskedKind Kind, LaneHead Lane)? best = null;
        foreach (var kind in _kinds)
        {
            if (kind.Lane(byAge) is { } lane && (best is not { } other || kind.Order(byAge).KeyOf(lane) < other.Kind.Order(byAge).KeyOf(other.Lane)))
            {
                best = (kind, lane);
            }
        }

        _last = best;
        return best is { } next ? _queue.First(next.Lane, next.Kind.Claim.MaxVersion, byAge) : null;
    }

    /// <summary>
    /// As many crashes as there may not be have to be younger than the window; then the kind waits for the first of those to be older.
    /// </summary>
    private DateTimeOffset? StoppedUntil(KindClaim claim, long kind)
    {
        if (claim.MaxCrashes > IKindRows.MaxCrashes || _context.Kinds.CrashBefore(kind, claim.MaxCrashes) is not { } crash)
        {
            return null;
        }

        var until = claim.CrashWindow < DateTimeOffset.MaxValue - crash ? crash + claim.CrashWindow : DateTimeOffset.MaxValue;
        return until > _context.Time ? until : null;
    }
}
