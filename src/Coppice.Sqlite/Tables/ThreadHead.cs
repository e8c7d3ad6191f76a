namespace Coppice.Sqlite;

/// <summary>A thread and the head of its mailbox.</summary>
internal readonly record struct ThreadHead(long Number, string Id, long LastSequence, long Acknowledged, MailCounts Unacknowledged);
