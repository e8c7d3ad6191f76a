namespace Coppice;

/// <summary>A message to an agent task that the agent had not acknowledged when it ended. It is kept, and wakes nobody.</summary>
/// <param name="Sequence">The place it had in the agent thread's mailbox.</param>
/// <param name="Event">The message.</param>
/// <param name="Reason">Why it was not delivered, in a sentence.</param>
public sealed record DeadLetter(long Sequence, MailEvent Event, string Reason);
