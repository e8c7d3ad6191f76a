namespace Coppice;

/// <summary>
/// Where tasks and mail are kept. Every change is a <see cref="MutationBatch"/> handed to <see cref="CommitAsync"/>; everything else
/// reads. Safe for concurrent use by any number of callers and managers. The suite in <c>Coppice.StoreContract</c> says what a store
/// promises.
/// </summary>
/// <remarks>Every failure is a <see cref="TaskStoreException"/>; after disposal every call throws <see cref="ObjectDisposedException"/>.</remarks>
public interface ITaskStore : IAsyncDisposable
{
    /// <summary>Gets how many pieces of mail are not acknowledged, in all mailboxes; near enough for a gauge.</summary>
    long MailDepth { get; }

    /// <summary>Stores a batch, whole or not at all. When it returns, what landed survives whatever the store promises to survive.</summary>
    /// <param name="batch">The batch; handed in once.</param>
    /// <param name="cancellationToken">Gives the batch up until the store's writer has it; from then on it is ignored.</param>
    /// <returns>The answer, mutation by mutation.</returns>
    /// <exception cref="TaskStoreException">The store failed. Unless it says that nothing was stored, <see cref="FindCommitAsync"/> tells.</exception>
    /// <exception cref="OperationCanceledException">The batch was given up, and nothing is stored.</exception>
    ValueTask<CommitResult> CommitAsync(MutationBatch batch, CancellationToken cancellationToken);

    /// <summary>Looks a batch up whose answer was lost.</summary>
    /// <param name="batch">The batch that was handed to <see cref="CommitAsync"/>.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>Its answer when it landed; <see langword="null"/> when it did not and never will.</returns>
    ValueTask<CommitResult?> FindCommitAsync(MutationBatch batch, CancellationToken cancellationToken);

    /// <summary>Reads one task.</summary>
    /// <param name="taskId">Its id.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>The task, or <see langword="null"/> when it is unknown.</returns>
    ValueTask<TaskSnapshot?> GetAsync(string taskId, CancellationToken cancellationToken);

    /// <summary>Lists tasks in the order of <see cref="TaskCursor"/>.</summary>
    /// <param name="query">Which.</param>
    /// <param name="after">Where to go on, or <see langword="null"/> for the beginning.</param>
    /// <param name="limit">How many at the most, from 1.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    ValueTask<IReadOnlyList<TaskSnapshot>> ListAsync(TaskQuery query, TaskCursor? after, int limit, CancellationToken cancellationToken);

    /// <summary>Whether a thread has a live task.</summary>
    /// <param name="ownerThreadId">The thread.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    ValueTask<bool> HasLiveAsync(string ownerThreadId, CancellationToken cancellationToken);

    /// <summary>
    /// Finds a live child: among the direct children of <see cref="TaskLineage.TaskId"/> where it is set, else among the tasks of
    /// <see cref="TaskLineage.RunId"/> without a parent task; by id first, then by name.
    /// </summary>
    /// <param name="parent">The parent.</param>
    /// <param name="nameOrTaskId">The child's name or id.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>The child's id, or <see langword="null"/>.</returns>
    ValueTask<string?> FindLiveChildAsync(TaskLineage parent, string nameOrTaskId, CancellationToken cancellationToken);

    /// <summary>Reads mail for the reader that has the mailbox. What is returned counts as read from now on, for limits and wake-ups.</summary>
    /// <param name="threadId">The thread.</param>
    /// <param name="reader">The reader.</param>
    /// <param name="afterSequence">Where to go on.</param>
    /// <param name="limit">How many pieces at the most, from 1.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    ValueTask<MailPage> ReadMailAsync(string threadId, Guid reader, long afterSequence, int limit, CancellationToken cancellationToken);

    /// <summary>Reads a thread's conversation. Anybody may; only the reader that has the thread's mailbox writes it.</summary>
    /// <param name="threadId">The thread.</param>
    /// <param name="from">The place of the first entry to read, from 0.</param>
    /// <param name="limit">How many entries at the most, from 1.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>The entries as they were appended, byte for byte; none for a thread without a conversation.</returns>
    ValueTask<ConversationPage> ReadConversationAsync(string threadId, int from, int limit, CancellationToken cancellationToken);

    /// <summary>Reads the steps of a live task, in the order in which they were stored. An ended task has none.</summary>
    /// <param name="taskId">The task.</param>
    /// <param name="from">The place of the first step to read, from 0.</param>
    /// <param name="limit">How many at the most, from 1.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    ValueTask<IReadOnlyList<TaskStep>> ReadStepsAsync(string taskId, int from, int limit, CancellationToken cancellationToken);

    /// <summary>Counts the unread custom events of a thread: not read where its mailbox is open, not acknowledged where it is closed.</summary>
    /// <param name="threadId">The thread.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    ValueTask<int> CountUnreadEventsAsync(string threadId, CancellationToken cancellationToken);

    /// <summary>Lists the threads whose mailbox is closed and holds a terminal event or message that is not acknowledged.</summary>
    /// <param name="cancellationToken">Stops waiting.</param>
    ValueTask<IReadOnlyList<string>> ListThreadsWithUnreadMailAsync(CancellationToken cancellationToken);

    /// <summary>Lists the dead letters of an agent's thread, oldest first.</summary>
    /// <param name="threadId">The agent's thread.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    ValueTask<IReadOnlyList<DeadLetter>> ListDeadLettersAsync(string threadId, CancellationToken cancellationToken);

    /// <summary>Lists the messages of a sender's thread that failed, oldest first.</summary>
    /// <param name="threadId">The sender's thread.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    ValueTask<IReadOnlyList<FailedMessage>> ListFailedMessagesAsync(string threadId, CancellationToken cancellationToken);

    /// <summary>Tells when <see cref="ExpireMessages"/> has something to do next. It costs the same however much is stored.</summary>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>The time, or <see langword="null"/> when nothing expires.</returns>
    ValueTask<DateTimeOffset?> FindNextExpiryAsync(CancellationToken cancellationToken);

    /// <summary>Shows that a host lives, and shows it the others. No change of the store, and no write where only one host can be.</summary>
    /// <param name="fence">The host.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>Every host whose fence is open or that has left live tasks behind; without the caller when it was given up.</returns>
    ValueTask<IReadOnlyList<HostStatus>> HeartbeatAsync(HostFence fence, CancellationToken cancellationToken);

    /// <summary>Hears what is committed from now on, until the returned object is disposed.</summary>
    /// <param name="listener">Who hears it.</param>
    IDisposable Subscribe(ITaskStoreListener listener);
}
