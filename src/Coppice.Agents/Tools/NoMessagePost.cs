namespace Coppice.Agents;

/// <summary>The post of a manager that carries no messages between threads.</summary>
internal sealed class NoMessagePost : IMessagePost
{
    internal static NoMessagePost Instance { get; } = new();

    public ValueTask<PostedMessage> PostAsync(
        string toThreadId, MessageSender from, string content, string? toAgentId, CancellationToken cancellationToken) =>
        ValueTask.FromResult(new PostedMessage("", SendMessageTool.RecipientUnavailable));
}
