namespace Coppice.Agents.Tests;

/// <summary>A post that keeps what it was given and answers as a test says.</summary>
internal sealed class FakePost(PostedMessage answer) : IMessagePost
{
    internal List<(string ToThreadId, MessageSender From, string Content, string? ToAgentId)> Posted { get; } = [];

    public ValueTask<PostedMessage> PostAsync(
        string toThreadId, MessageSender from, string content, string? toAgentId, CancellationToken cancellationToken)
    {
        Posted.Add((toThreadId, from, content, toAgentId));
        return ValueTask.FromResult(answer);
    }
}
