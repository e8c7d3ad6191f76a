namespace Coppice;

/// <summary>The answer to a message.</summary>
/// <param name="Result">What became of it.</param>
/// <param name="TaskState">The state the task ended in, when that is why.</param>
public readonly record struct SendReceipt(SendResult Result, TaskState? TaskState);
