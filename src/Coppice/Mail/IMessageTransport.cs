namespace Coppice;

/// <summary>
/// Forwards messages to threads that live elsewhere: another store, a broker, a web hook. Messages it carries wait in the store's outbox
/// until it has taken them. It is called by several callers at once, but for one sender and one recipient in order, one message at a time.
/// </summary>
public interface IMessageTransport
{
    /// <summary>Whether it carries messages to a thread. Asked at each post, before anything is stored: answer from memory, and quickly.</summary>
    /// <param name="toThreadId">The thread.</param>
    /// <param name="toAgentId">The agent of the thread that the message is meant for, if the sender named one.</param>
    bool Carries(string toThreadId, string? toAgentId);

    /// <summary>
    /// Forwards a message. When it returns the message counts as delivered, so return once the other end has it for good. A crash in
    /// between forwards it again, with the same id: hand it to <see cref="BackgroundTaskManager.DeliverAsync"/> there, or see to it that an
    /// id counts once.
    /// </summary>
    /// <param name="message">The message.</param>
    /// <param name="cancellationToken">
    /// Cancelled when the manager shuts down, which is no failed attempt, and after <see cref="BackgroundTaskOptions.MessageSendTimeout"/>,
    /// which is one.
    /// </param>
    /// <exception cref="MessageRejectedException">The other end will never take it; there is no further attempt.</exception>
    ValueTask SendAsync(OutgoingMessage message, CancellationToken cancellationToken);
}
