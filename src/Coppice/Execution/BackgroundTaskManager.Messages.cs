namespace Coppice;

/// <content>Messages between threads.</content>
public sealed partial class BackgroundTaskManager
{
    /// <summary>
    /// Posts a message to a thread, which need not exist yet: it waits in the thread's mailbox until somebody reads and acknowledges it, also a
    /// week later. Where <see cref="BackgroundTaskOptions.MessageTransport"/> carries it, it waits in the outbox until the transport has
    /// taken it. When it is accepted it is stored. Of one sender and one recipient messages stay in order.
    /// </summary>
    /// <param name="toThreadId">The thread it is for.</param>
    /// <param name="from">The sender. What becomes of a message that nobody reads is told to its thread.</param>
    /// <param name="content">The text, at most 256 KB; an empty message is a message.</param>
    /// <param name="options">What else there is to say.</param>
    /// <param name="cancellationToken">Gives the message up until the store's writer has it.</param>
    /// <returns>Its id, and what became of it.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The time to live is under a millisecond.</exception>
    public async ValueTask<PostReceipt> PostAsync(
        string toThreadId, MessageSender from, string content, PostOptions? options = null, CancellationToken cancellationToken = default)
    {
        Rules.CheckId(toThreadId, nameof(toThreadId));
        Rules.CheckId(from.ThreadId, "from.ThreadId");
        ArgumentNullException.ThrowIfNull(from.AgentId, "from.AgentId");
        Rules.CheckOptionalId(from.AgentId, "from.AgentId");
        var clean = Rules.CheckMessage(content, nameof(content));
        var toAgentId = Rules.CheckOptionalId(options?.ToAgentId, "options.ToAgentId");
        var givenId = Rules.CheckOptionalId(options?.MessageId, "options.MessageId");
        var timeToLive = options?.TimeToLive ?? _options.MessageTimeToLive;
        ArgumentOutOfRangeException.ThrowIfLessThan(timeToLive ?? TimeSpan.MaxValue, TimeSpan.FromMilliseconds(1), "options.TimeToLive");

        var core = await ReadyAsync(cancellationToken).ConfigureAwait(false);
        var isCarried = _options.MessageTransport?.Carries(toThreadId, toAgentId) == true;
        var message = new ThreadMessage(givenId ?? MessageIds.New(_options), from.ThreadId, from.AgentId, clean)
        {
            ToAgentId = toAgentId,
            ExpiresAt = MessageIds.ExpiryAfter(timeToLive, _options.TimeProvider),
        };
        return await core.Messages.PostAsync(toThreadId, message, isCarried, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Takes in a message that a transport brought from outside, into the thread's mailbox. Its id counts once: the same id to the same thread is
    /// accepted again without a second delivery, until <see cref="BackgroundTaskOptions.MessageIdMemory"/> after it was acknowledged.
    /// </summary>
    /// <param name="toThreadId">The thread it is for.</param>
    /// <param name="message">The message as the sender's <see cref="IMessageTransport"/> got it.</param>
    /// <param name="cancellationToken">Gives the message up until the store's writer has it.</param>
    /// <returns>Its id, and what became of it. A full mailbox is for the transport to try again.</returns>
    public async ValueTask<PostReceipt> DeliverAsync(
        string toThreadId, ThreadMessage message, CancellationToken cancellationToken = default)
    {
        Rules.CheckId(toThreadId, nameof(toThreadId));
        ArgumentNullException.ThrowIfNull(message);
        Rules.CheckId(message.MessageId, "message.MessageId");
        Rules.CheckId(message.FromThreadId, "message.FromThreadId");
        ArgumentNullException.ThrowIfNull(message.FromAgentId, "message.FromAgentId");
        Rules.CheckOptionalId(message.FromAgentId, "message.FromAgentId");
        message = message with
        {
            Content = Rules.CheckMessage(message.Content, "message.Content"),
            ToAgentId = Rules.CheckOptionalId(message.ToAgentId, "message.ToAgentId"),
            ExpiresAt = MessageIds.ToMilliseconds(message.ExpiresAt),
        };
        var core = await ReadyAsync(cancellationToken).ConfigureAwait(false);
        return await core.Messages.DeliverAsync(toThreadId, message, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Lists the messages that a thread sent and that failed, oldest first: those that expired, those that the transport could not forward, and
    /// those to agents that had not acknowledged them when they ended.
    /// </summary>
    /// <param name="threadId">The sender's thread.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public async ValueTask<IReadOnlyList<FailedMessage>> ListFailedMessagesAsync(
        string threadId, CancellationToken cancellationToken = default)
    {
        Rules.CheckId(threadId, nameof(threadId));
        var core = await ReadyAsync(cancellationToken).ConfigureAwait(false);
        return await core.Store.ListFailedMessagesAsync(threadId, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Sends failed messages again, in their order, with the same id, fresh attempts and the time to live of the options. Those whose
    /// mailbox is full stay, and those to an agent unless a live agent reads in that agent's thread.
    /// </summary>
    /// <param name="threadId">The sender's thread.</param>
    /// <param name="numbers">Which of its failed messages, by number; all by default. Numbers that are unknown count for nothing.</param>
    /// <param name="cancellationToken">Gives it up until the store's writer has it.</param>
    /// <returns>How many were sent again, and how many of those asked for stay.</returns>
    public async ValueTask<ReplayResult> ReplayFailedMessagesAsync(
        string threadId, IReadOnlyCollection<long>? numbers = null, CancellationToken cancellationToken = default)
    {
        Rules.CheckId(threadId, nameof(threadId));
        var core = await ReadyAsync(cancellationToken).ConfigureAwait(false);
        return await core.Messages.ReplayAsync(threadId, numbers is null ? null : [.. numbers], cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Forgets failed messages.</summary>
    /// <param name="threadId">The sender's thread.</param>
    /// <param name="numbers">Which of its failed messages, by number; all by default.</param>
    /// <param name="cancellationToken">Gives it up until the store's writer has it.</param>
    /// <returns>How many.</returns>
    public async ValueTask<int> ClearFailedMessagesAsync(
        string threadId, IReadOnlyCollection<long>? numbers = null, CancellationToken cancellationToken = default)
    {
        Rules.CheckId(threadId, nameof(threadId));
        var core = await ReadyAsync(cancellationToken).ConfigureAwait(false);
        var cleared = await core.CommitAsync<FailedMessagesCleared>(
            "clear_messages", new ClearFailedMessages(threadId, numbers is null ? null : [.. numbers]), cancellationToken).ConfigureAwait(false);
        return cleared.Count;
    }
}
