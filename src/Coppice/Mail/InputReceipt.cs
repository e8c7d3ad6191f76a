namespace Coppice;

/// <summary>The answer to live input.</summary>
/// <param name="Result"><see cref="SendResult.Delivered"/>: it is stored in the thread's mailbox; or <see cref="SendResult.InboxFull"/>.</param>
/// <param name="Sequence">Its place in the mailbox; 0 when it was not delivered.</param>
public readonly record struct InputReceipt(SendResult Result, long Sequence);
