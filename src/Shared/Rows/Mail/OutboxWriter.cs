namespace Coppice.Rows;

/// <summary>Puts messages into the outbox, gives them to hosts that send them, and takes in what became of them.</summary>
internal sealed class OutboxWriter(BatchContext context, MessageWriter messages)
{
    public MutationAnswer Write(PostToOutbox message)
    {
        if (!context.Applying)
        {
            return NotApplied.Instance;
        }

        var recipient = context.Threads.Ensure(message.ThreadId);
        if (context.MessageIds.Find(recipient, message.Message.MessageId, context.Time, onlyMailbox: false) is { } known)
        {
            return MessageWriter.Known(known);
        }

        var number = context.Outbox.Add(
            context.Threads.Ensure(message.Message.FromThreadId), recipient, message.Message, context.Time);
        context.MessageIds.Add(recipient, message.Message, MessageBox.Outbox, number, message.KeepIdFor);
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
        while (claimed.Count < claim.Limit && failed < claim.Limit && context.Outbox.FindDue(context.Time) is { } entry)
        {
            if (FailureReasons.BeforeAttempt(entry.Message, entry.Attempts, claim.MaxAttempts, context.Time) is { } reason)
            {
                Fail(entry, reason);
                failed++;
                continue;
            }

            context.Outbox.Claim(entry.Number, context.Epoch);
            claimed.Add(new OutgoingMessage(
                entry.Number, context.Threads.Head(entry.Recipient).Id, entry.Message, entry.Attempts + 1));
        }

        return new OutboxClaimed(claimed, context.Outbox.NextDue(), failed, context.Failed.Trim(claim.MaxFailed));
    }

    public MutationAnswer Write(SettleOutgoing settle)
    {
        if (!context.Applying)
        {
            return NotApplied.Instance;
        }

        var isHeld = context.Outbox.Find(settle.Number) is { } held && held.Claim == context.Epoch && held.Attempts == settle.Attempt;
        var hasFailed = isHeld && !Settle(context.Outbox.Find(settle.Number)!.Value, settle);
        return new OutgoingSettled(isHeld, hasFailed, context.Outbox.NextDue(), hasFailed ? context.Failed.Trim(settle.MaxFailed) : 0);
    }

    /// <summary>Tells whether the message was sent or may still be.</summary>
    private bool Settle(in OutboxEntry entry, SettleOutgoing settle)
    {
        switch (settle.End)
        {
            case AttemptEnd.Sent:
                context.Outbox.Remove(entry, context.Time);
                context.MessageIds.End(entry.Recipient, entry.Message.MessageId, MessageBox.Outbox, context.Time);
                return true;
            case AttemptEnd.HandedBack:
                context.Outbox.MakeReady(entry.Number, context.Time, entry.Attempts - 1);
                return true;
            case AttemptEnd.Retry when !entry.Message.IsExpired(settle.RetryAt):
                context.Outbox.MakeReady(entry.Number, settle.RetryAt, entry.Attempts);
                return true;
            default:
                Fail(entry, FailureReasons.AfterAttempt(entry.Message, settle));
                return false;
        }
    }

    private void Fail(in OutboxEntry entry, string reason)
    {
        context.Outbox.Remove(entry, context.Time);
        messages.Fail(entry.Sender, entry.Recipient, MessageBox.Outbox, entry.Attempts, entry.Message, reason);
    }
}
