namespace Coppice.Rows;

/// <summary>Posts messages between threads, remembers their ids, and makes failed messages of those that expire.</summary>
internal sealed class MessageWriter(BatchContext context, MailPost post)
{
    public MutationAnswer Write(PostMessage message)
    {
        var thread = context.Threads.Find(message.ThreadId);
        if (message.KeepIdFor is not null && thread is { } recipient
            && context.MessageIds.Find(recipient, message.Message.MessageId, context.Time, message.IsDelivery) is { } known)
        {
            return context.Applying ? Known(known) : NotApplied.Instance;
        }

        var expired = thread is { } full && IsFull(full, message.MaxUnread) ? ExpiredUnread(full) : null;
        if (expired is not null && IsFull(thread!.Value, message.MaxUnread + expired.Count))
        {
            return new PostRefused(PostResult.MailboxFull);
        }

        if (!context.Applying)
        {
            return NotApplied.Instance;
        }

        foreach (var waiting in expired ?? [])
        {
            Expire(waiting);
        }

        return new MailPosted(Post(thread ?? context.Threads.Ensure(message.ThreadId), message.Message, message.KeepIdFor));
    }

    public MutationAnswer Write(ExpireMessages expire)
    {
        if (!context.Applying)
        {
            return NotApplied.Instance;
        }

        var due = context.MessageIds.Expired(context.Time, expire.Limit);
        var count = due.Count(Expire);
        var forgotten = context.MessageIds.Forget(context.Time, expire.Limit);
        return new MessagesExpired(count, context.Failed.Trim(expire.MaxFailed), due.Count == expire.Limit || forgotten == expire.Limit);
    }

    public MutationAnswer Write(ClearFailedMessages clear)
    {
        if (!context.Applying)
        {
            return NotApplied.Instance;
        }

        if (context.Threads.Find(clear.ThreadId) is not { } sender)
        {
            return new FailedMessagesCleared(0);
        }

        if (clear.Numbers is null)
        {
            return new FailedMessagesCleared(context.Failed.Clear(sender));
        }

        var entries = context.Failed.List(sender, clear.Numbers);
        foreach (var entry in entries)
        {
            context.Failed.Remove(entry.Number);
        }

        return new FailedMessagesCleared(entries.Count);
    }

    public MutationAnswer Write(ReplayFailedMessages replay)
    {
        if (!context.Applying)
        {
            return NotApplied.Instance;
        }

        if (context.Threads.Find(replay.ThreadId) is not { } sender)
        {
            return new MessagesReplayed(0, 0);
        }

        int count = 0, left = 0;
        foreach (var entry in context.Failed.List(sender, replay.Numbers))
        {
            if (TryReplay(sender, entry, replay))
            {
                context.Failed.Remove(entry.Number);
                count++;
            }
            else
            {
                left++;
            }
        }

        return new MessagesReplayed(count, left);
    }

    /// <summary>Of the messages that a reader is done with, those that had expired before have failed.</summary>
    public void ExpireThrough(ThreadHead head, long through)
    {
        foreach (var waiting in context.MessageIds.ExpiredIn(head.Number, 0, through, context.Time))
        {
            Expire(waiting);
        }
    }

    public void Fail(long sender, long recipient, MessageBox box, int attempts, ThreadMessage message, string reason)
    {
        context.MessageIds.End(recipient, message.MessageId, box, context.Time);
        context.Failed.Add(sender, recipient, box, 0, attempts, context.Time, MailEventJson.Serialize(message), reason);
    }

    public static MailPosted Known((long Place, MessageBox Box) known) =>
        new(known.Box == MessageBox.Mailbox ? known.Place : 0) { WasKnown = true };

    private long Post(long thread, ThreadMessage message, TimeSpan? keep)
    {
        var (head, _) = post.Post(thread, [message]);
        if (keep is { } time)
        {
            context.MessageIds.Add(thread, message, MessageBox.Mailbox, head.LastSequence, time);
        }

        return head.LastSequence;
    }

    private bool IsFull(long thread, long max) => post.Unread(thread).Messages >= max;

    private IReadOnlyList<WaitingMessage> ExpiredUnread(long thread)
    {
        var readThrough = context.Mailboxes.Find(thread)?.ReadThrough ?? 0;
        return context.MessageIds.ExpiredIn(thread, readThrough, context.Threads.Head(thread).LastSequence, context.Time);
    }

    /// <summary>Makes a failed message of one that has expired. A message that a host is sending is that host's to judge.</summary>
    private bool Expire(WaitingMessage waiting)
    {
        if (waiting.Box == MessageBox.Outbox)
        {
            if (context.Outbox.Find(waiting.Place) is not { Claim: null } entry)
            {
                return false;
            }

            context.Outbox.Remove(entry, context.Time);
            Fail(entry.Sender, entry.Recipient, MessageBox.Outbox, entry.Attempts, entry.Message, FailureReasons.Expired(entry.Message));
            return true;
        }

        if (context.Mail.Take(waiting.Thread, waiting.Place) is not { } json)
        {
            context.MessageIds.End(waiting.Thread, waiting.Id, waiting.Box, context.Time);
            return false;
        }

        var message = (ThreadMessage)MailEventJson.Deserialize(json);
        post.TakenOut(waiting.Thread, waiting.Place);
        Fail(
            context.Threads.Ensure(message.FromThreadId), waiting.Thread, MessageBox.Mailbox, 0, message, FailureReasons.Expired(message));
        return true;
    }

    private bool TryReplay(long sender, FailedEntry entry, ReplayFailedMessages replay)
    {
        var mail = MailEventJson.Deserialize(entry.Json);
        if (entry.Box == MessageBox.Outbox)
        {
            var outgoing = (ThreadMessage)mail with { ExpiresAt = replay.ExpiresAt };
            var number = context.Outbox.Add(sender, entry.Recipient, outgoing, context.Time);
            context.MessageIds.Add(entry.Recipient, outgoing, MessageBox.Outbox, number, replay.KeepIdFor);
            return true;
        }

        if (IsFull(entry.Recipient, replay.MaxUnread))
        {
            return false;
        }

        if (mail is ThreadMessage message)
        {
            Post(entry.Recipient, message with { ExpiresAt = replay.ExpiresAt }, replay.KeepIdFor);
            return true;
        }

        // Only a live agent that reads its own mailbox, or will once a host has its work, can be addressed there.
        var reader = context.Mailboxes.Find(entry.Recipient);
        if ((reader is { } open ? open.Agent : context.Tasks.FindWaitingAgent(entry.Recipient)) is not { } agent
            || context.Tasks.Head(agent) is not { IsLive: true, AgentOpen: true }
            || !AgentMessage.TryRead(mail, out var from, out var content))
        {
            return false;
        }

        post.Post(entry.Recipient, [AgentMessage.Create(context.Ids.IdOf(agent), from, content)], agent);
        return true;
    }
}
