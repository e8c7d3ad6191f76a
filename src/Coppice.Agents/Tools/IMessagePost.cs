namespace Coppice.Agents;

/// <summary>Carries messages from thread to thread.</summary>
internal interface IMessagePost
{
    /// <summary>Posts a message into a thread's mailbox.</summary>
    ValueTask<PostedMessage> PostAsync(
        string toThreadId, MessageSender from, string content, string? toAgentId, CancellationToken cancellationToken);
}

/// <summary>What became of a message.</summary>
/// <param name="MessageId">Its id when it is stored.</param>
/// <param name="Error">The wire's word for why it is not, or null.</param>
internal readonly record struct PostedMessage(string MessageId, string? Error);
