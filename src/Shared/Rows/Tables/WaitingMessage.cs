namespace Coppice.Rows;

/// <summary>A message between threads that waits and whose id is kept.</summary>
/// <param name="Thread">Its recipient.</param>
/// <param name="Id">Its id.</param>
/// <param name="Box">Where it waits.</param>
/// <param name="Place">Its sequence in the mailbox, or its number in the outbox.</param>
internal readonly record struct WaitingMessage(long Thread, string Id, MessageBox Box, long Place);
