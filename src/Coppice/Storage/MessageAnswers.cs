namespace Coppice;

/// <summary>A message was refused.</summary>
/// <param name="Result">Why; never accepted.</param>
public sealed record PostRefused(PostResult Result) : MutationAnswer;

/// <summary>Messages were taken out of the outbox to be sent.</summary>
/// <param name="Messages">The messages, each the first of its sender and recipient.</param>
/// <param name="NextDue">When the next one that nobody has is due; <see langword="null"/> when there is none.</param>
/// <param name="Failed">How many failed instead.</param>
/// <param name="Dropped">How many failed messages were dropped because their thread has too many.</param>
public sealed record OutboxClaimed(IReadOnlyList<OutgoingMessage> Messages, DateTimeOffset? NextDue, int Failed, int Dropped) : MutationAnswer;

/// <summary>An attempt to send was settled.</summary>
/// <param name="WasHeld">Whether the host had the message at this attempt; if not, nothing happened.</param>
/// <param name="HasFailed">Whether it has become a failed message.</param>
/// <param name="NextDue">When the next message that nobody has is due; <see langword="null"/> when there is none.</param>
/// <param name="Dropped">How many failed messages were dropped because their thread has too many.</param>
public sealed record OutgoingSettled(bool WasHeld, bool HasFailed, DateTimeOffset? NextDue, int Dropped) : MutationAnswer;

/// <summary>Messages expired.</summary>
/// <param name="Count">How many became failed messages.</param>
/// <param name="Dropped">How many failed messages were dropped because their thread has too many.</param>
/// <param name="HasMore">Whether the limit left some.</param>
public sealed record MessagesExpired(int Count, int Dropped, bool HasMore) : MutationAnswer;

/// <summary>Failed messages were put back.</summary>
/// <param name="Count">How many.</param>
/// <param name="Left">How many of those asked for stay failed: their mailbox is full or their agent has ended.</param>
public sealed record MessagesReplayed(int Count, int Left) : MutationAnswer;

/// <summary>Failed messages were forgotten.</summary>
/// <param name="Count">How many.</param>
public sealed record FailedMessagesCleared(int Count) : MutationAnswer;
