namespace Coppice.PostgreSql;

/// <summary>A reader has taken mail as read, which changed nothing else of the thread.</summary>
/// <param name="Thread">The thread.</param>
/// <param name="Version">The version that it got by that.</param>
/// <param name="Reader">The reader.</param>
/// <param name="Through">The last piece that was read.</param>
/// <param name="Unread">What is unread now.</param>
internal readonly record struct ReadMark(long Thread, long Version, Guid Reader, long Through, MailCounts Unread);
