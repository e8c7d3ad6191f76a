using System.Text.Json.Serialization;

namespace Coppice;

/// <summary>A message from one thread's agent to another thread.</summary>
/// <param name="MessageId">What it is known by: in one mailbox a message is seen once by its id. A UUID v7 unless the sender chose another.</param>
/// <param name="FromThreadId">The sender's thread.</param>
/// <param name="FromAgentId">The sender's agent.</param>
/// <param name="Content">The text; an empty message is a message.</param>
[JsonConverter(typeof(MailEventJsonConverter<ThreadMessage>))]
public sealed record ThreadMessage(string MessageId, string FromThreadId, string FromAgentId, string Content) : MailEvent
{
    /// <summary>Gets the agent of the thread that it is meant for; <see langword="null"/> when it is for whoever reads.</summary>
    public string? ToAgentId { get; init; }

    /// <summary>Gets when it is of no use any more unless it was acknowledged, to the millisecond; <see langword="null"/> for never.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>Whether it is of no use any more at a time.</summary>
    /// <param name="now">The time.</param>
    public bool IsExpired(DateTimeOffset now) => ExpiresAt <= now;
}
