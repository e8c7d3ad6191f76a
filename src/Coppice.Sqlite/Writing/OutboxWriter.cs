namespace Coppice.Sqlite;

/// <summary>Puts messages into the outbox, gives them to hosts that send them, and takes in what became of them.</summary>
internal sealed class OutboxWriter(BatchContext context, MessageWriter messages)
{
    public MutationAnswer Write(PostToOutbox message)
    {
        if (!context.Applying)
        {
            return NotApplied.Instance;
        }

        var recipient = context.Session.Threads.Ensure(message.ThreadId);
        if (context.Session.MessageIds.Find(recipient, message.Message.MessageId, context.Time, onlyMailbox: false) is { } known)
        {
            return MessageWriter.Known(known);
        }

        var number = context.Session.Outbox.Add(
            context.Session.Threads.Ensure(message.Message.FromThreadId), recipient, message.Message, context.Time);
        context.Session.MessageIds.Add(recipient, message.Message, MessageIdTable.Outbox, number, message.KeepIdFor);
        return new MailPosted(0);
    }

    public MutationAnswer Write(ClaimOutbox claim)
    {
        if (!context.Applying)
        {
            return NotApplied.Instance;
        }

        var failed = 0;
        var claimed = new List<OutgoingMessage>();
        while (claimed.Count < claim.Limit && failed < claim.Limit && context.Session.Outbox.FindDue(context.Time) is { } entry)
        {
            if (FailureReasons.BeforeAttempt(entry.Message, entry.Attempts, claim.MaxAttempts, context.Time) is { } reason)
            {
                Fail(entry, reason);
                failed++;
                continue;
            }

            context.Session.Outbox.Claim(entry.Number, context.Epoch);
            claimed.Add(new OutgoingMessage(
                entry.Number, context.Session.Threads.Head(entry.Recipient).Id, entry.Message, entry.Attempts + 1));
        }

        return new OutboxClaimed(claimed, NextDue(), failed, messages.Trim(claim.MaxFailed));
    }

    public MutationAnswer Write(SettleOutgoing settle)
    {
        if (!context.Applying)
        {
            return NotApplied.Instance;
        }

        var isHeld = context.Session.Outbox.Find(settle.Number) is { } held && held.Claim == context.Epoch && held.Attempts == settle.Attempt;
        var hasFailed = isHeld && !Settle(context.Session.Outbox.Find(settle.Number)!.Value, settle);
        return new OutgoingSettled(isHeld, hasFailed, NextDue(), hasFailed ? messages.Trim(settle.MaxFailed) : 0);
    }

    /// <summary>Tells whether the message was sent or may still be.</summary>
    private bool Settle(in OutboxTable.Entry entry, SettleOutgoing settle)
    {
        switch (settle.End)
        {
            case AttemptEnd.Sent:
                context.Session.Outbox.Remove(entry, context.Time);
                context.Session.MessageIds.End(entry.Recipient, entry.Message.MessageId, MessageIdTable.Outbox, context.Time);
                return true;
            case AttemptEnd.HandedBack:
                context.Session.Outbox.MakeReady(entry.Number, context.Time, entry.Attempts - 1);
                return true;
            case AttemptEnd.Retry when !entry.Message.IsExpired(settle.RetryAt):
                context.Session.Outbox.MakeReady(entry.Number, settle.RetryAt, entry.Attempts);
                return true;
            default:
                Fail(entry, FailureReasons.AfterAttempt(entry.Message, settle));
                return false;
        }
    }

    private DateTimeOffset? NextDue() =>
        context.Session.Outbox.NextDue() is { } ms ? DateTimeOffset.FromUnixTimeMilliseconds(ms) : null;

    private void Fail(in OutboxTable.Entry entry, string reason)
    {
        context.Session.Outbox.Remove(entry, context.Time);
        messages.Fail(entry.Sender, entry.Recipient, MessageIdTable.Outbox, entry.Attempts, entry.Message, reason);
    }
}
