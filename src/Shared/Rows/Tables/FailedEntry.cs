namespace Coppice.Rows;

/// <summary>A message that has failed.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Recipient">The thread that it was for.</param>
/// <param name="Box">Where it was.</param>
/// <param name="Json">The message.</param>
internal readonly record struct FailedEntry(long Number, long Recipient, MessageBox Box, string Json);
