namespace Coppice;

/// <summary>
/// Hears what is committed to a store, by whichever host. The methods are called right after the commit, for one task or one thread in
/// the order of its commits, on the committing thread and perhaps under the store's locks: they must be quick, must not call the store
/// and must not throw.
/// </summary>
public interface ITaskStoreListener
{
    /// <summary>Gets whether <see cref="OnChange"/> is of use at the moment; making a <see cref="TaskChange"/> costs, and is left out otherwise.</summary>
    /// <remarks>
    /// A store asks once a commit can be seen: who wants changes by then hears of it, also when that began while the commit was under way.
    /// A listener that begins to want changes calls <see cref="Interlocked.MemoryBarrierProcessWide"/> before it reads what it relies on,
    /// which spares each commit a fence. <see cref="ITaskStore.Subscribe"/> does so itself.
    /// </remarks>
    bool WantsChanges { get; }

    /// <summary>
    /// Gets whether mail that nobody reads is acted upon here. A store that several processes share tells each such piece to one process of those that
    /// have such a listener: to the one that has committed it, if it is among them.
    /// </summary>
    bool HandlesUnreadMail => false;

    /// <summary>
    /// Something happened to a task. Called in the order of revisions; what another process has committed may come after what was committed later.
    /// </summary>
    /// <param name="change">The change.</param>
    void OnChange(TaskChange change);

    /// <summary>The cancellation of a live task was requested, for the first time.</summary>
    /// <param name="taskId">The task.</param>
    /// <param name="ownerEpoch">The epoch of the host that runs it.</param>
    void OnCancelRequested(string taskId, long ownerEpoch);

    /// <summary>A task ended.</summary>
    /// <param name="taskId">The task.</param>
    void OnEnded(string taskId);

    /// <summary>Mail arrived.</summary>
    /// <param name="threadId">The thread whose mailbox it is in.</param>
    /// <param name="wakes">Whether a terminal event or a message is among it.</param>
    /// <param name="hasReader">Whether the mailbox is open, here or elsewhere.</param>
    void OnMail(string threadId, bool wakes, bool hasReader);

    /// <summary>A mailbox was opened, taking it over from any other reader.</summary>
    /// <param name="threadId">The thread.</param>
    /// <param name="reader">The reader that has it since; <see cref="Guid.Empty"/> where another host had it in between and has closed it again.</param>
    /// <param name="takenFrom">The reader that had it before, if one did. By the time this is heard a later one may have it already.</param>
    void OnMailboxOpened(string threadId, Guid reader, Guid? takenFrom);

    /// <summary>A mailbox was closed or its reader's host is gone, and a terminal event or message in it is unread.</summary>
    /// <param name="threadId">The thread.</param>
    void OnMailLeftUnread(string threadId);

    /// <summary>
    /// A task of a kind may be claimed, at once or from a time on: one was added or handed back, or another has made room. Not told where the
    /// same transaction has given it to a host already.
    /// </summary>
    /// <param name="kind">The kind.</param>
    /// <param name="at">From when on; <see langword="null"/> for at once. A deadline counts as a time too.</param>
    void OnWork(string kind, DateTimeOffset? at);

    /// <summary>A host has left or was given up: nothing of it is stored any more.</summary>
    /// <param name="fence">The host.</param>
    void OnHostFenced(HostFence fence);

    /// <summary>
    /// Tasks may have ended without <see cref="OnEnded"/>: who waits for one that this process does not run looks again. Called now and then by a store
    /// that several processes share, whether or not it has missed something.
    /// </summary>
    void OnEndsMissed()
    {
    }

    /// <summary>Tasks may have changed without <see cref="OnChange"/>, and what is missing cannot be told any more.</summary>
    void OnChangesMissed()
    {
    }
}
