namespace Coppice.Rows;

/// <summary>The work of tasks of a registered kind. It belongs to its task's thread.</summary>
internal interface IWorkRows
{
    /// <summary>What rules decide by. The task has work.</summary>
    WorkHead Head(long number);

    /// <summary>Adds the work of a new task, ready or waiting as its head says.</summary>
    void Add(in WorkHead head, long owner, NewWork work);

    /// <summary>
    /// Adds the work of a restored task, which has ended. Its idempotency key is kept to be read, and not found by <see cref="FindByKey"/>.
    /// </summary>
    void Add(long number, long kind, long owner, TaskWork work);

    /// <summary>Stores a head. Its deadline counts for <see cref="Expired"/> and <see cref="NextTime"/> only while it is pending.</summary>
    void Set(in WorkHead work);

    /// <summary>Stores why the last attempt failed.</summary>
    void SetError(in WorkHead work, string lastError);

    /// <summary>Stores the last head of work that has ended.</summary>
    void End(in WorkHead work);

    /// <summary>The task of a thread, live or ended, that was added with an idempotency key, compared ordinally.</summary>
    long? FindByKey(long owner, string key);

    /// <summary>
    /// The ready task of a lane that goes first (<see cref="ReadyWork.GoesBefore"/>) among those of the lowest version above another.
    /// </summary>
    ReadyWork? First(long lane, int aboveVersion);

    /// <summary>
    /// The ready tasks of a lane and a version that go first, in that order; all of them, where they are fewer than the limit.
    /// </summary>
    IReadOnlyList<ReadyWork> Ready(long lane, int version, int limit);

    /// <summary>The task that has been ready longest, which is that of the lowest rank, among those of a lane and a version.</summary>
    ReadyWork? Longest(long lane, int version);

    /// <summary>The pending tasks whose time has come, in the order of their times, then of their numbers.</summary>
    IReadOnlyList<long> Due(DateTimeOffset now, int limit);

    /// <summary>The pending tasks whose deadline has come, in the order of their deadlines, then of their numbers.</summary>
    IReadOnlyList<long> Expired(DateTimeOffset now, int limit);

    /// <summary>When the next pending task is due or expires. Another transaction's work in progress need not be seen.</summary>
    DateTimeOffset? NextTime();

    /// <summary>Forgets the work and the inputs of the tasks that <see cref="ITaskRows.Prune"/> is about to forget.</summary>
    void Prune(DateTimeOffset endedBefore);

    /// <summary>Forgets the work and the input of a task, if it has any.</summary>
    void Remove(long number);
}
