namespace Coppice;

/// <summary>A message on its way out of the store, as a transport gets it.</summary>
/// <param name="Number">Its place in the outbox; it grows with each post.</param>
/// <param name="ToThreadId">The thread it is for.</param>
/// <param name="Message">The message. Its id is the same at each attempt, so that the other end sees it once.</param>
/// <param name="Attempt">Which attempt this is, counting from 1.</param>
public sealed record OutgoingMessage(long Number, string ToThreadId, ThreadMessage Message, int Attempt);
