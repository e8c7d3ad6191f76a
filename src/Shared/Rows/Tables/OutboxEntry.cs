namespace Coppice.Rows;

/// <summary>A message that is on its way out.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Sender">The thread that it is from.</param>
/// <param name="Recipient">The thread that it is for.</param>
/// <param name="Attempts">How many attempts were begun.</param>
/// <param name="Claim">The epoch of the host that is sending it, if one is.</param>
/// <param name="Message">The message.</param>
internal readonly record struct OutboxEntry(long Number, long Sender, long Recipient, int Attempts, long? Claim, ThreadMessage Message);
