namespace Coppice;

/// <summary>Who sends a message.</summary>
/// <param name="ThreadId">The sender's thread; it has to own the task that the message goes to.</param>
/// <param name="AgentId">The sender's agent, shown to the receiver.</param>
public readonly record struct MessageSender(string ThreadId, string AgentId);
