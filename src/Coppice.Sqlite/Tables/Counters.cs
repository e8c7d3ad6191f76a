namespace Coppice.Sqlite;

/// <summary>What the store counts. In memory while it is open; each group writes it back.</summary>
internal sealed class Counters : INumbers
{
    public long Revision { get; set; }

    public long NextTask { get; set; }

    public long NextForeign { get; set; }

    public long NextEpoch { get; set; }

    public long MailDepth { get; set; }

    /// <summary>Gets or sets the number of the last claim, which is also how many there were.</summary>
    public long LastClaim { get; set; }

    /// <summary>Gets or sets the last number that a lane got for its turn or a task for its rank.</summary>
    public long LastTurn { get; set; }

    long INumbers.NextTask() => NextTask++;

    public void PassTask(long number) => NextTask = Math.Max(NextTask, number + 1);

    public long PeekClaim() => LastClaim + 1;

    public long NextClaim() => ++LastClaim;

    public long NextTurn() => ++LastTurn;

    public long NextRevision() => ++Revision;

    long INumbers.NextEpoch() => NextEpoch++;

    public void SetTo(Counters other)
    {
        Revision = other.Revision;
        NextTask = other.NextTask;
        NextForeign = other.NextForeign;
        NextEpoch = other.NextEpoch;
        MailDepth = other.MailDepth;
        LastClaim = other.LastClaim;
        LastTurn = other.LastTurn;
    }
}
