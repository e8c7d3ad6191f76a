namespace Coppice.Rows;

/// <summary>A kind that a host asks for, and which of its lanes goes first.</summary>
internal sealed class AskedKind(BatchContext context, KindClaim claim, long number, DateTimeOffset? stoppedUntil)
{
    private readonly LaneOrder _byPriority = new(context.Lanes, claim, number, byAge: false);
    private readonly LaneOrder _byAge = new(context.Lanes, claim, number, byAge: true);

    public KindClaim Claim { get; } = claim;

    /// <summary>Gets until when nothing of the kind is claimed because of its crashes.</summary>
    public DateTimeOffset? StoppedUntil { get; } = stoppedUntil;

    public bool HasReady => context.Kinds.HasReady(number);

    public LaneOrder Order(bool byAge) => byAge ? _byAge : _byPriority;

    /// <summary>Finds the lane whose turn it is, if the kind may run at all.</summary>
    /// <param name="byAge">Whether priorities do not count.</param>
    public LaneHead? Lane(bool byAge) =>
        StoppedUntil is null && HasReady && context.Kinds.HasRoom(number, Claim.MaxRunning) ? Order(byAge).First() : null;

    /// <summary>Takes in that a task of a lane was claimed.</summary>
    public void Note(LaneHead lane)
    {
        _byPriority.Note(lane);
        _byAge.Note(lane);
    }
}
