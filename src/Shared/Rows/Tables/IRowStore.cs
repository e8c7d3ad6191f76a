namespace Coppice.Rows;

/// <summary>
/// What the rules ask of a store that keeps its state in rows: one open transaction, in which <see cref="BatchWriter"/> judges and applies
/// batches row by row. The rules are in the writers beside this folder, once for every such store; a store gives the rows. The tables are
/// the same objects for the life of the writer, the transactions come one after the other.
/// </summary>
/// <remarks>
/// <para>
/// <b>Threads.</b> Every row belongs to a thread: a task with its work, steps, names and place on a branch to that of its owner, mail,
/// readers and conversations to the thread whose mailbox it is, what is in the outbox and what has failed to its sender. What was read
/// decides what is written, so nobody else may change a thread between the first row of it that a transaction read and the transaction's
/// end. A store whose file has one writer has nothing to do for that; another locks a thread when the first of its rows is asked for. That
/// a row is not there is read, too. Kinds and hosts are of no thread; <see cref="IKindRows"/> and <see cref="IHosts"/> say what must not
/// change under them.
/// </para>
/// <para>
/// <b>The own transaction is seen.</b> Whatever a method reads, it reads as this transaction has left it, unless it says otherwise. Nothing
/// has to be written at once, as long as that holds.
/// </para>
/// <para>
/// <b>Lists</b> hold what is so until the transaction ends, unless it changes that itself. Their order is said where a rule counts on it.
/// With a limit, a list may leave out what another transaction has under its lock; without one it may not.
/// </para>
/// <para>
/// <b>Numbers</b> of tasks, threads and kinds name rows for good. A method that takes one may count on its row being there, unless it says
/// otherwise.
/// </para>
/// <para>
/// <b>What is thrown</b> passes through the rules and ends the batch. The store then takes the transaction back, and may have the batch
/// written again from its beginning, in another one: the rules keep nothing of it. So a store may throw where it finds that it cannot have
/// a lock.
/// </para>
/// </remarks>
internal interface IRowStore
{
    /// <summary>Gets where numbers come from.</summary>
    INumbers Numbers { get; }

    /// <summary>Gets the ids of tasks.</summary>
    IIdRows Ids { get; }

    /// <summary>Gets the tasks.</summary>
    ITaskRows Tasks { get; }

    /// <summary>Gets the work of tasks of a registered kind.</summary>
    IWorkRows Work { get; }

    /// <summary>Gets the steps and checkpoints of work.</summary>
    IStepRows Steps { get; }

    /// <summary>Gets the kinds of work.</summary>
    IKindRows Kinds { get; }

    /// <summary>Gets the lanes in which work waits for its turn.</summary>
    ILaneRows Lanes { get; }

    /// <summary>Gets what trees and runs reach.</summary>
    IBranchRows Branches { get; }

    /// <summary>Gets the threads and the counts of their mail.</summary>
    IThreadRows Threads { get; }

    /// <summary>Gets the mail.</summary>
    IMailRows Mail { get; }

    /// <summary>Gets the open mailboxes.</summary>
    IMailboxes Mailboxes { get; }

    /// <summary>Gets the conversations.</summary>
    IConversationRows Conversations { get; }

    /// <summary>Gets the ids of messages between threads.</summary>
    IMessageIdRows MessageIds { get; }

    /// <summary>Gets the messages that are on their way out.</summary>
    IOutboxRows Outbox { get; }

    /// <summary>Gets the messages that have failed.</summary>
    IFailedMessageRows Failed { get; }

    /// <summary>Gets the hosts.</summary>
    IHosts Hosts { get; }

    /// <summary>
    /// Gets whether anybody wants to hear of changes of tasks. Asked once a batch; each change is then noted with the task as it reads
    /// right after it, which may mean reading it for nothing else.
    /// </summary>
    bool WantsChanges { get; }

    /// <summary>Makes a mark before a batch of several mutations is applied. There is one at a time.</summary>
    void BeginBatch();

    /// <summary>Keeps what was done since the mark.</summary>
    void KeepBatch();

    /// <summary>
    /// Takes back everything since the mark, open mailboxes and hosts included. The numbers that were taken are given back where a store
    /// has no gaps in them.
    /// </summary>
    void TakeBackBatch();
}
