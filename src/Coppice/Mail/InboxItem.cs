namespace Coppice;

/// <summary>One piece of mail at its place in a thread's mailbox.</summary>
/// <param name="Sequence">Its place, counting from 1 for each thread.</param>
/// <param name="Event">What it says.</param>
public sealed record InboxItem(long Sequence, MailEvent Event);
