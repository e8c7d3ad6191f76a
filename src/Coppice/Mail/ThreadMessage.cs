using System.Text.Json.Serialization;

namespace Coppice;

/// <summary>A message from one thread's agent to another thread.</summary>
/// <param name="MessageId">A UUID v7.</param>
/// <param name="FromThreadId">The sender's thread.</param>
/// <param name="FromAgentId">The sender's agent.</param>
/// <param name="Content">The text; an empty message is a message.</param>
[JsonConverter(typeof(MailEventJsonConverter<ThreadMessage>))]
public sealed record ThreadMessage(string MessageId, string FromThreadId, string FromAgentId, string Content) : MailEvent;
