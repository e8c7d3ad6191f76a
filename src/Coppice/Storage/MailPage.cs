namespace Coppice;

/// <summary>Mail that a reader asked for.</summary>
/// <param name="IsReader">Whether the reader has the mailbox; if not, there are no items.</param>
/// <param name="Items">The mail, in order.</param>
public readonly record struct MailPage(bool IsReader, IReadOnlyList<InboxItem> Items);
