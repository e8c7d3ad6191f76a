namespace Coppice;

/// <summary>A message whose id is remembered: it waits in a mailbox or in the outbox, or it did so not long ago.</summary>
internal sealed class MessageEntry(string threadId, string id, bool isOutgoing, long place, long keepMs, long? expiresMs)
{
    internal string ThreadId { get; } = threadId;

    internal string Id { get; } = id;

    /// <summary>Gets whether it is the outbox that has it.</summary>
    internal bool IsOutgoing { get; } = isOutgoing;

    /// <summary>Gets its sequence in the mailbox, or its number in the outbox.</summary>
    internal long Place { get; } = place;

    internal long KeepMs { get; } = keepMs;

    internal long? ExpiresMs { get; } = expiresMs;

    /// <summary>Gets when the id is forgotten, once the message is done with.</summary>
    internal long? ForgetMs { get; private set; }

    internal bool IsWaiting => ForgetMs is null;

    /// <summary>Gets or sets its place in the agenda, which guards it.</summary>
    internal (long Ms, long Order)? Planned { get; set; }

    internal bool IsForgotten(long nowMs) => ForgetMs <= nowMs;

    internal bool HasExpired(long nowMs) => IsWaiting && ExpiresMs <= nowMs;

    /// <summary>It was acknowledged or sent, or has failed.</summary>
    internal void EndAt(long nowMs) => ForgetMs = nowMs > long.MaxValue - KeepMs ? long.MaxValue : nowMs + KeepMs;
}
