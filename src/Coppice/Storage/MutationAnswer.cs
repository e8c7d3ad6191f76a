namespace Coppice;

/// <summary>What became of one mutation.</summary>
public abstract record MutationAnswer
{
    private protected MutationAnswer()
    {
    }
}

/// <summary>It would have landed, but another mutation refused the batch.</summary>
public sealed record NotApplied : MutationAnswer
{
    /// <summary>Gets the one instance.</summary>
    public static NotApplied Instance { get; } = new();
}

/// <summary>A task was added.</summary>
/// <param name="TaskId">The id it was given.</param>
public sealed record TaskAdded(string TaskId) : MutationAnswer
{
    /// <summary>Gets whether the task was there already under its idempotency key, so that nothing was added.</summary>
    public bool WasKnown { get; init; }
}

/// <summary>A task was refused, and took no id.</summary>
/// <param name="Error">Why: idempotency key reused, parent cancelled, too deep, duplicate name, continues unknown, or agent busy.</param>
public sealed record AddRefused(SpawnError Error) : MutationAnswer;

/// <summary>A live task is where it was asked to be.</summary>
public sealed record TaskMoved : MutationAnswer
{
    /// <summary>Gets the one instance.</summary>
    public static TaskMoved Instance { get; } = new();
}

/// <summary>A task ended.</summary>
public sealed record TaskFinished : MutationAnswer
{
    /// <summary>Gets the one instance.</summary>
    public static TaskFinished Instance { get; } = new();
}

/// <summary>A move, an end or an event was refused.</summary>
/// <param name="State">The state the task is in; <see langword="null"/> when it is unknown or belongs to another host or attempt.</param>
public sealed record MoveRefused(TaskState? State) : MutationAnswer;

/// <summary>Events were posted.</summary>
/// <param name="UnreadEvents">How many custom events of the thread are now unread.</param>
public sealed record EventsPosted(int UnreadEvents) : MutationAnswer;

/// <summary>Cancellation was requested.</summary>
/// <param name="TaskIds">Every live task it reached, also one that had been requested before.</param>
public sealed record CancelReached(IReadOnlyList<string> TaskIds) : MutationAnswer;

/// <summary>A message was delivered.</summary>
/// <param name="Sequence">Its place in the mailbox of the agent's thread.</param>
public sealed record MessageSent(long Sequence) : MutationAnswer;

/// <summary>A message was refused.</summary>
/// <param name="Receipt">Why; never delivered.</param>
public sealed record SendRefused(SendReceipt Receipt) : MutationAnswer;

/// <summary>A message was posted.</summary>
/// <param name="Sequence">Its place in the mailbox; 0 where it waits in the outbox or is known from there.</param>
public sealed record MailPosted(long Sequence) : MutationAnswer
{
    /// <summary>Gets whether its id was known, so that nothing was posted.</summary>
    public bool WasKnown { get; init; }
}

/// <summary>A mailbox is open.</summary>
/// <param name="AcknowledgedThrough">The last piece of mail that is done with; 0 when there is none. Reading goes on after it.</param>
public sealed record MailboxOpened(long AcknowledgedThrough) : MutationAnswer;

/// <summary>A mailbox is closed, as far as this reader goes.</summary>
public sealed record MailboxClosed : MutationAnswer
{
    /// <summary>Gets the one instance.</summary>
    public static MailboxClosed Instance { get; } = new();
}

/// <summary>Mail is done with.</summary>
/// <param name="ThroughSequence">The last piece of mail that is done with.</param>
public sealed record MailAcknowledged(long ThroughSequence) : MutationAnswer;

/// <summary>Another reader has the mailbox, or nobody has.</summary>
public sealed record ReaderRefused : MutationAnswer
{
    /// <summary>Gets the one instance.</summary>
    public static ReaderRefused Instance { get; } = new();
}

/// <summary>Entries were appended to a conversation, and the mail is done with.</summary>
/// <param name="Count">How many entries it has now.</param>
public sealed record ConversationAppended(int Count) : MutationAnswer;

/// <summary>A conversation does not have as many entries as its writer thought.</summary>
/// <param name="Count">How many it has.</param>
public sealed record ConversationMoved(int Count) : MutationAnswer;

/// <summary>A conversation was forgotten.</summary>
/// <param name="Count">How many entries it had.</param>
public sealed record ConversationForgotten(int Count) : MutationAnswer;

/// <summary>A snapshot was taken in.</summary>
/// <param name="Result">The counts.</param>
public sealed record TasksRestored(RestoreResult Result) : MutationAnswer;

/// <summary>Tasks were forgotten.</summary>
/// <param name="Count">How many.</param>
public sealed record TasksPruned(int Count) : MutationAnswer;

/// <summary>A host joined.</summary>
/// <param name="Fence">Its identity and epoch.</param>
/// <param name="Orphans">The tasks that were settled and have ended.</param>
public sealed record HostJoined(HostFence Fence, IReadOnlyList<string> Orphans) : MutationAnswer
{
    /// <summary>Gets the tasks that were settled and are pending again.</summary>
    public IReadOnlyList<string> Recovered { get; init; } = [];
}

/// <summary>A host was given up.</summary>
/// <param name="Orphans">The tasks that were settled and have ended.</param>
public sealed record HostSettled(IReadOnlyList<string> Orphans) : MutationAnswer
{
    /// <summary>Gets the tasks that were settled and are pending again.</summary>
    public IReadOnlyList<string> Recovered { get; init; } = [];
}

/// <summary>The host left.</summary>
public sealed record HostLeft : MutationAnswer
{
    /// <summary>Gets the one instance.</summary>
    public static HostLeft Instance { get; } = new();
}
