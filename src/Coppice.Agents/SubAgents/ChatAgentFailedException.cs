namespace Coppice.Agents;

/// <summary>A sub-agent cannot come to a result. To try again would not help: it would go on from the same conversation.</summary>
internal sealed class ChatAgentFailedException(string message) : Exception(message);
