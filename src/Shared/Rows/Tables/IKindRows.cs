namespace Coppice.Rows;

/// <summary>
/// The kinds of work, their crashes, and how much of each is ready and running. That is told as it changes; whether a store keeps counts or
/// counts when it is asked is its own affair. A kind is of no thread: transactions of several hosts make its tasks ready and end them at
/// the same time. The pair of name and number never changes while the kind is stored.
/// </summary>
internal interface IKindRows
{
    /// <summary>How many crashes of a kind are kept, the latest.</summary>
    const int MaxCrashes = 1000;

    /// <summary>The number of a kind, or <see langword="null"/> when nothing was ever of it.</summary>
    long? Find(string name);

    /// <summary>The name of a kind.</summary>
    string NameOf(long kind);

    /// <summary>The number of a kind, given now where there is none.</summary>
    long Ensure(string name);

    /// <summary>A task of a kind has become ready.</summary>
    void MadeReady(long kind);

    /// <summary>A task of a kind is ready no more: it was claimed or has ended.</summary>
    void TakenOut(long kind);

    /// <summary>A host has begun an attempt of a kind.</summary>
    void Began(long kind);

    /// <summary>A host's attempt of a kind is over.</summary>
    void Stopped(long kind);

    /// <summary>
    /// Whether a task of a kind is ready. What other transactions are about to make ready need not be seen: they tell of it.
    /// </summary>
    bool HasReady(long kind);

    /// <summary>
    /// Whether fewer than so many tasks of a kind are running, on all hosts together: there is room for one more. Asked before each claim.
    /// Where it is true, no other transaction may begin an attempt of the kind before this one has ended, unless there is room for both;
    /// <see cref="int.MaxValue"/> is no limit, and needs neither a count nor a lock.
    /// </summary>
    bool HasRoom(long kind, int maxRunning);

    /// <summary>The names of the kinds that have a ready task, in no order.</summary>
    IReadOnlyList<string> WithReady();

    /// <summary>Notes that a host was given up under attempts of a kind, and forgets the oldest beyond <see cref="MaxCrashes"/>.</summary>
    void AddCrash(long kind, DateTimeOffset at, long epoch);

    /// <summary>
    /// When the crash was that so many of a kind have followed, counting itself; <see langword="null"/> if there were not so many.
    /// </summary>
    DateTimeOffset? CrashBefore(long kind, int count);

    /// <summary>
    /// Forgets the kinds of which neither a task nor a crash is stored any more. One that another transaction is giving a task has to stay.
    /// </summary>
    void Prune();
}
