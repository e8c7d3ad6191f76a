using System.Text.Json;

namespace Coppice.Rows;

/// <summary>
/// The tasks. Changes are told with the head that was just read, so that nothing has to be looked up for them; the head that a rule holds
/// is not changed by it, the next one read is.
/// </summary>
internal interface ITaskRows
{
    /// <summary>What rules decide by, or <see langword="null"/> when there is no such task. Locks the task's thread.</summary>
    TaskHead? Head(long number);

    /// <summary>The task as it reads now, or <see langword="null"/> when there is none.</summary>
    TaskSnapshot? Snapshot(long number);

    /// <summary>Tasks that there are as they read now, in the order of their numbers as given.</summary>
    IReadOnlyList<TaskSnapshot> Snapshots(IReadOnlyList<long> numbers);

    /// <summary>
    /// The task as it reads now, if the store has it at hand; <see langword="null"/> is always right, and right where it would have to be
    /// read.
    /// </summary>
    TaskSnapshot? SnapshotAtHand(long number);

    /// <summary>Whether a live task of a thread has a name, compared ordinally.</summary>
    bool HasLiveName(long owner, string name);

    /// <summary>
    /// Whether a live task is the agent of a thread. Asked before one is added that continues another there; it is the agent's thread that
    /// has to be locked for that.
    /// </summary>
    bool HasLiveAgent(long agentThread);

    /// <summary>Adds the numbers of the live tasks of a thread, in no order.</summary>
    void AddLiveOf(long owner, ICollection<long> numbers);

    /// <summary>
    /// Finds the agent task, the first by number, that will read the mail of a thread once a host has its work: it is pending
    /// (<see cref="TaskHead.IsWaiting"/>). Asked whenever mail arrives, so it has to be cheap where there is none. The task may be of
    /// another thread, and is not locked by this: the answer decides only whom to tell, and where a failed message is sent again, where it
    /// is looked at once more.
    /// </summary>
    long? FindWaitingAgent(long agentThread);

    /// <summary>The epochs of the hosts that have live tasks, ascending. Nothing is locked by this.</summary>
    IReadOnlyList<long> Holders();

    /// <summary>Whether a host has live tasks.</summary>
    bool HoldsAny(long hostEpoch);

    /// <summary>The live tasks of a host, which is fenced, in the order of their numbers.</summary>
    IReadOnlyList<long> HeldBy(long hostEpoch);

    /// <summary>Adds a new task.</summary>
    /// <param name="task">The task, in the state it starts in.</param>
    /// <param name="id">Its id.</param>
    /// <param name="added">What was asked for.</param>
    /// <param name="createdAt">When.</param>
    /// <param name="continues">The agent task that it continues.</param>
    /// <param name="work">Its work, if it has any, which is added by itself.</param>
    void Add(in TaskHead task, string id, AddTask added, DateTimeOffset createdAt, long? continues, in WorkHead? work);

    /// <summary>Adds a task of a snapshot, which has ended and which no host has.</summary>
    /// <param name="number">Its number.</param>
    /// <param name="owner">Its owner, whatever the snapshot says.</param>
    /// <param name="task">The task.</param>
    /// <param name="parent">The number of its parent's id.</param>
    /// <param name="agentThread">The thread of its agent.</param>
    /// <param name="continues">The number of the id of the agent task that it continues.</param>
    /// <param name="kind">The kind of its work.</param>
    void Add(long number, long owner, TaskSnapshot task, long? parent, long? agentThread, long? continues, long? kind);

    /// <summary>Moves a task to another state that is not terminal.</summary>
    void Move(in TaskHead task, TaskState state);

    /// <summary>Makes pending work a host's: running, and none of the events of this attempt stored.</summary>
    void Claim(in TaskHead task, long hostEpoch);

    /// <summary>Makes a host's work pending, and nobody's. An agent takes messages again: another attempt will read them.</summary>
    void GiveBack(in TaskHead task);

    /// <summary>Ends a task for good. It takes no messages any more; which host had it stays.</summary>
    void End(in TaskHead task, TaskState state, DateTimeOffset time, string? error, JsonElement? result);

    /// <summary>Marks that a task is to be cancelled, and by whom.</summary>
    void RequestCancel(in TaskHead task, DateTimeOffset time, string by);

    /// <summary>Stores how many events of the attempt are stored.</summary>
    void SetEventsThrough(in TaskHead task, long through);

    /// <summary>Has an agent take no messages any more.</summary>
    void CloseAgentInbox(in TaskHead task);

    /// <summary>
    /// Forgets the tasks that ended before a time (restored without one: were created) and are on no branch, and tells how many. The
    /// work of the same tasks is forgotten by <see cref="IWorkRows.Prune"/>, before this.
    /// </summary>
    int Prune(DateTimeOffset endedBefore);

    /// <summary>The ended tasks that are as old and still on a branch, in no order.</summary>
    IReadOnlyList<long> PruneCandidates(DateTimeOffset endedBefore);

    /// <summary>Forgets one task that has ended.</summary>
    void Remove(long number);
}
