namespace Coppice;

/// <summary>A message that did not reach its reader, as its sender's thread has it. It wakes nobody.</summary>
/// <param name="Number">Its number, unique in the store, for <see cref="BackgroundTaskManager.ReplayFailedMessagesAsync"/>.</param>
/// <param name="MessageId">Its id; empty for a message that was sent to an agent task.</param>
/// <param name="ToThreadId">The thread it was for; the agent's own for a message to an agent task.</param>
/// <param name="ToAgentId">The agent of that thread that it was meant for, or the agent task.</param>
/// <param name="From">Who sent it.</param>
/// <param name="Content">The text.</param>
/// <param name="Reason">Why it failed, in a sentence.</param>
/// <param name="Attempts">How often it was handed to a transport; 0 for one that needed none.</param>
/// <param name="FailedAt">When it failed, by the host that noticed, to the millisecond.</param>
public sealed record FailedMessage(
    long Number,
    string MessageId,
    string ToThreadId,
    string? ToAgentId,
    MessageSender From,
    string Content,
    string Reason,
    int Attempts,
    DateTimeOffset FailedAt)
{
    /// <summary>For stores: what a thread sees of mail that failed.</summary>
    /// <param name="number">Its number.</param>
    /// <param name="senderThreadId">The thread that sent it.</param>
    /// <param name="toThreadId">The thread it was for.</param>
    /// <param name="mail">A message between threads, or one to an agent task.</param>
    /// <param name="reason">Why it failed.</param>
    /// <param name="attempts">How often it was handed to a transport.</param>
    /// <param name="failedAt">When it failed.</param>
    /// <exception cref="ArgumentNullException">A reference is <see langword="null"/>.</exception>
    public static FailedMessage Of(
        long number, string senderThreadId, string toThreadId, MailEvent mail, string reason, int attempts, DateTimeOffset failedAt)
    {
        ArgumentNullException.ThrowIfNull(mail);
        if (mail is ThreadMessage message)
        {
            return new FailedMessage(
                number, message.MessageId, toThreadId, message.ToAgentId, new MessageSender(senderThreadId, message.FromAgentId),
                message.Content, reason, attempts, failedAt);
        }

        AgentMessage.TryRead(mail, out var from, out var content);
        return new FailedMessage(
            number, "", toThreadId, (mail as TaskEvent)?.TaskId, new MessageSender(senderThreadId, from), content, reason, attempts, failedAt);
    }
}
