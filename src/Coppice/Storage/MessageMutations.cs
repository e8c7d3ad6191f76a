namespace Coppice;

/// <summary>
/// Puts a message into the outbox, from where a host's <see cref="IMessageTransport"/> takes it. Answered by <see cref="MailPosted"/>. An id that
/// is remembered for the thread, in its mailbox or the outbox, is not posted again. Needs a batch of its own.
/// </summary>
/// <param name="ThreadId">The thread it goes to.</param>
/// <param name="Message">The message.</param>
/// <param name="KeepIdFor">How long the id is remembered after the message was sent or has failed.</param>
public sealed record PostToOutbox(string ThreadId, ThreadMessage Message, TimeSpan KeepIdFor) : Mutation;

/// <summary>
/// Takes messages out of the outbox to send them: of each sender and recipient the first, if nobody has it and it is due. They are the batch's
/// host's until <see cref="SettleOutgoing"/>, or until the host leaves or is given up. Those that have expired or were attempted
/// often enough fail instead. Answered by <see cref="OutboxClaimed"/>. Needs a batch of its own.
/// </summary>
/// <param name="Limit">How many at the most, from 1.</param>
/// <param name="MaxAttempts">How often a message is attempted.</param>
/// <param name="MaxFailed">How many failed messages a thread keeps; the oldest go first.</param>
public sealed record ClaimOutbox(int Limit, int MaxAttempts, int MaxFailed) : Mutation;

/// <summary>
/// Says what became of a message that this host had claimed. Answered by <see cref="OutgoingSettled"/>; where the host does not have it at
/// this attempt, nothing happens. Needs a batch of its own.
/// </summary>
/// <param name="Number">The message's place in the outbox.</param>
/// <param name="Attempt">The attempt that ended.</param>
/// <param name="End">How it ended.</param>
public sealed record SettleOutgoing(long Number, int Attempt, AttemptEnd End) : Mutation
{
    /// <summary>Gets when the next attempt is due, after <see cref="AttemptEnd.Retry"/>. A message that has expired by then fails.</summary>
    public DateTimeOffset RetryAt { get; init; }

    /// <summary>Gets why the attempt failed.</summary>
    public string Reason { get; init; } = "";

    /// <summary>Gets how many failed messages a thread keeps; the oldest go first.</summary>
    public int MaxFailed { get; init; } = int.MaxValue;
}

/// <summary>How an attempt to send a message ended.</summary>
public enum AttemptEnd
{
    /// <summary>The transport has taken it.</summary>
    Sent,

    /// <summary>It failed and is to be tried again.</summary>
    Retry,

    /// <summary>It failed for good.</summary>
    Failed,

    /// <summary>It was given up because the host stops, and does not count.</summary>
    HandedBack,
}

/// <summary>
/// Makes failed messages of those that have expired by the batch's time, forgets the ids that have been remembered long enough, and drops the
/// oldest failed messages of threads that have too many. Answered by <see cref="MessagesExpired"/>. Needs a batch of its own.
/// </summary>
/// <param name="Limit">How many messages, and how many ids, at the most.</param>
/// <param name="MaxFailed">How many failed messages a thread keeps.</param>
public sealed record ExpireMessages(int Limit, int MaxFailed) : Mutation;

/// <summary>
/// Puts failed messages back where they were: into the mailbox, with the same id unless that is there again already, or into the outbox with
/// fresh attempts; a message to an agent into the mailbox of the agent's thread if a live agent has it. Answered by <see cref="MessagesReplayed"/>.
/// Needs a batch of its own.
/// </summary>
/// <param name="ThreadId">The sender's thread.</param>
/// <param name="Numbers">Which of them, or <see langword="null"/> for all.</param>
/// <param name="KeepIdFor">How long ids are remembered after acknowledgement.</param>
/// <param name="ExpiresAt">When they expire from now on, or <see langword="null"/> for never.</param>
/// <param name="MaxUnread">How many unread messages a mailbox may hold.</param>
public sealed record ReplayFailedMessages(
    string ThreadId, IReadOnlyCollection<long>? Numbers, TimeSpan KeepIdFor, DateTimeOffset? ExpiresAt, int MaxUnread) : Mutation;

/// <summary>Forgets failed messages. Answered by <see cref="FailedMessagesCleared"/>. Needs a batch of its own.</summary>
/// <param name="ThreadId">The sender's thread.</param>
/// <param name="Numbers">Which of them, or <see langword="null"/> for all.</param>
public sealed record ClearFailedMessages(string ThreadId, IReadOnlyCollection<long>? Numbers) : Mutation;
