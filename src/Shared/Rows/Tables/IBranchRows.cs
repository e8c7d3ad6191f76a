namespace Coppice.Rows;

/// <summary>
/// Which tasks a tree or a run reaches: the live ones that hang on something, and the ended ones with something live below.
/// <see cref="Branches"/> says which those are. A row belongs to its task's thread. Who reads the children of a task has had its head, and
/// so its thread's lock, and so has who adds one; where the store has no task of that number, nobody has, and a child that is added at the
/// same time may be missed.
/// </summary>
internal interface IBranchRows
{
    /// <summary>
    /// Gets whether a live task is here from when it is added, whatever it hangs on. Otherwise only <see cref="Branches.Spawned"/> adds it.
    /// </summary>
    bool HasEveryLiveTask { get; }

    /// <summary>Finds a task that is on a branch. Most are not, and often none is at all.</summary>
    BranchRow? Find(long number);

    /// <summary>
    /// Reads what would be the row of a task from the task itself, or <see langword="null"/> where there is no task of that number.
    /// </summary>
    BranchRow? OfTask(long number);

    /// <summary>Adds a task that is on no branch yet.</summary>
    void Add(in BranchRow row);

    /// <summary>Notes that a task on a branch has ended.</summary>
    void SetEnded(long number);

    /// <summary>Takes a task off, if it is on a branch.</summary>
    void Remove(long number);

    /// <summary>Whether a task on a branch has this one, which need not be there, for its parent.</summary>
    bool HasChild(long number);

    /// <summary>Adds the tasks on a branch whose parent this one is, which need not be there, in no order.</summary>
    void AddChildren(long number, ICollection<long> numbers);

    /// <summary>Adds the ended tasks of a thread that are on a branch, in no order.</summary>
    void AddEndedOf(long owner, ICollection<long> numbers);

    /// <summary>Adds the tasks on a branch that a run has spawned and that have no parent, of whatever thread, in no order.</summary>
    void AddRootsOf(string runId, ICollection<long> numbers);
}
