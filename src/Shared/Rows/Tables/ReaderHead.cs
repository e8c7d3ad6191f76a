namespace Coppice.Rows;

/// <summary>A mailbox that a reader has open, as it was when it was asked for.</summary>
/// <param name="ThreadId">The thread.</param>
/// <param name="Reader">The reader.</param>
/// <param name="HostEpoch">The host that the reader is on.</param>
/// <param name="Agent">The agent task that it was opened for, if it was.</param>
/// <param name="ReadThrough">The last sequence that the reader has read.</param>
/// <param name="Unread">What it has not read.</param>
internal readonly record struct ReaderHead(string ThreadId, Guid Reader, long HostEpoch, long? Agent, long ReadThrough, MailCounts Unread);
