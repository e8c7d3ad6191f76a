namespace Coppice.Rows;

/// <summary>
/// Where numbers come from. Each is higher than all that were given before, in whatever transaction; what a transaction took that did not
/// land may be lost or given again, except that nobody gets a number that somebody else has kept.
/// </summary>
internal interface INumbers
{
    /// <summary>The number of a new task, from 0: that of its id, as far as ids can count.</summary>
    long NextTask();

    /// <summary>Sees to it that no new task gets a number up to this one: a snapshot has brought it.</summary>
    void PassTask(long number);

    /// <summary>
    /// The number that <see cref="NextClaim"/> gives next; it tells whether that claim goes by age (<see cref="WorkRules.AgeTurn"/>). A
    /// store that takes numbers from a sequence takes one here and gives it there; one that was not given serves the next transaction as
    /// well.
    /// </summary>
    long PeekClaim();

    /// <summary>The number of a claim, from 1.</summary>
    long NextClaim();

    /// <summary>
    /// The turn of a lane, or the rank of a ready task. Where they are given to hosts side by side, they order what is ready only as well
    /// as their commits are ordered, which is enough.
    /// </summary>
    long NextTurn();

    /// <summary>
    /// The revision of a batch that lands, from 1. Asked once for each, when it is first needed and not before the batch is judged.
    /// </summary>
    long NextRevision();

    /// <summary>The epoch of a host that joins, from 1.</summary>
    long NextEpoch();
}
