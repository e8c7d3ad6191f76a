namespace Coppice.Sqlite;

/// <summary>A kind that a host asks for, and which of its lanes goes first. Lanes are looked up when they are needed.</summary>
internal sealed class AskedKind(WriterSession session, KindClaim claim, long number, DateTimeOffset? stoppedUntil)
{
    private LaneHead? _first;
    private LaneHead? _longest;
    private bool _knowsFirst;
    private bool _knowsLongest;

    public KindClaim Claim { get; } = claim;

    /// <summary>Gets until when nothing of the kind is claimed because of its crashes.</summary>
    public DateTimeOffset? StoppedUntil { get; } = stoppedUntil;

    public bool HasReady => session.Kinds.Head(number).Ready > 0;

    /// <summary>Finds the lane whose turn it is, if the kind may run at all.</summary>
    /// <param name="byAge">Whether priorities do not count.</param>
    public LaneHead? Lane(bool byAge)
    {
        if (StoppedUntil is not null || !HasReady || session.Kinds.Head(number).Running >= Claim.MaxRunning)
        {
            return null;
        }

        return byAge ? Longest() : First();
    }

    /// <summary>Lets go of the lanes, because one of them is about to change.</summary>
    public void Forget() => (_knowsFirst, _knowsLongest) = (false, false);

    private LaneHead? First()
    {
        if (!_knowsFirst)
        {
            _first = session.Lanes.First(number, Claim.MaxRunningPerThread, Claim.MaxVersion);
            _knowsFirst = true;
        }

        return _first;
    }

    private LaneHead? Longest()
    {
        if (!_knowsLongest)
        {
            _longest = session.Lanes.Longest(number, Claim.MaxRunningPerThread, Claim.MaxVersion);
            _knowsLongest = true;
        }

        return _longest;
    }
}
