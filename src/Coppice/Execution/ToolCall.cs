namespace Coppice;

/// <summary>A tool call that is executing; see <see cref="ToolCallScope"/>.</summary>
/// <param name="RunId">The run; an empty string is no value.</param>
/// <param name="CallId">The call; an empty string is no value.</param>
/// <param name="AgentId">The agent; an empty string is no value.</param>
/// <param name="Run">What cancels the run itself, or <see langword="null"/>.</param>
public sealed record ToolCall(string RunId, string CallId, string AgentId, CancellationTokenSource? Run = null);
