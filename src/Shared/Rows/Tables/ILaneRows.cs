namespace Coppice.Rows;

/// <summary>
/// The lanes: the ready and the running tasks of one kind in one thread, to which a lane belongs. A head is one object for the whole
/// transaction, so that whoever holds it sees what has become of it; the rules change its priority, version, turn and number of ready
/// tasks, and the store keeps that. How many of its tasks are running is told to the store, which keeps or counts it.
/// </summary>
internal interface ILaneRows
{
    /// <summary>The number of a lane, the same for good, whether the store has the lane or not.</summary>
    /// <exception cref="OverflowException">The store can hold no such lane.</exception>
    long NumberOf(long kind, long thread);

    /// <summary>The kind of a lane.</summary>
    long KindOf(long lane);

    /// <summary>The head of a lane, empty where the store does not have it.</summary>
    LaneHead Head(long lane);

    /// <summary>The head of a lane for the caller to change: it is among <see cref="Changed"/> from now on.</summary>
    LaneHead Changing(long lane);

    /// <summary>
    /// Gets the lanes that this transaction has changed, of which alone <see cref="Head.IsChanged"/> is set: they are not looked for
    /// where <see cref="Stored"/> has them. Once they are written they may be left out again, but not before the batch ends.
    /// </summary>
    IReadOnlyList<LaneHead> Changed { get; }

    /// <summary>A host has begun an attempt of a lane, which the caller has for changing.</summary>
    void Began(LaneHead lane);

    /// <summary>A host's attempt of a lane is over, which the caller has for changing.</summary>
    void Stopped(LaneHead lane);

    /// <summary>Whether fewer than so many tasks of a lane are running. Asked of lanes that may be claimed from.</summary>
    bool HasRoom(LaneHead lane, int maxRunning);

    /// <summary>
    /// The first lanes of a kind that have room and a ready task of a version that is known, as they are or as they were before this
    /// transaction changed them: of those that it has changed the rules look at the head. The heads of the others are asked for next, one
    /// after the other, until one is taken. Lanes of threads that another transaction has may be left out.
    /// </summary>
    /// <param name="kind">The kind.</param>
    /// <param name="claim">
    /// What its host takes: the lowest version of a lane may not be above its version, nor more tasks be running than it allows a thread.
    /// </param>
    /// <param name="byAge">
    /// Whether they stand by their turns alone, the lowest first, and not by priority, the highest first, and then by turn.
    /// </param>
    /// <param name="limit">
    /// How many at the most. Fewer are all that there are. Asked again with twice as many in the same transaction, when all of them have been
    /// passed over.
    /// </param>
    /// <returns>Their numbers.</returns>
    IReadOnlyList<long> Stored(long kind, KindClaim claim, bool byAge, int limit);
}
