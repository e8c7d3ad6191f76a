namespace Coppice;

/// <summary>The answer to a message to a thread.</summary>
/// <param name="MessageId">Its id; empty unless it was accepted.</param>
/// <param name="Result">What became of it.</param>
public readonly record struct PostReceipt(string MessageId, PostResult Result);
