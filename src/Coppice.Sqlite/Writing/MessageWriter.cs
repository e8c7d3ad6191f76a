namespace Coppice.Sqlite;

/// <summary>Posts messages between threads, remembers their ids, and makes failed messages of those that expire.</summary>
internal sealed class MessageWriter(BatchContext context, MailPost post)
{
    public MutationAnswer Write(PostMessage message)
    {
        var thread = context.Session.Threads.Find(message.ThreadId);
        if (message.KeepIdFor is not null && thread is { } recipient
            && context.Session.MessageIds.Find(recipient, message.Message.MessageId, context.Time, message.IsDelivery) is { } known)
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

        return new MailPosted(Post(thread ?? context.Session.Threads.Ensure(message.ThreadId), message.Message, message.KeepIdFor));
    }

    public MutationAnswer Write(ExpireMessages expire)
    {
        if (!context.Applying)
        {
            return NotApplied.Instance;
        }

        var due = context.Session.MessageIds.Expired(context.Time, expire.Limit);
        var count = due.Count(Expire);
        var forgotten = context.Session.MessageIds.Forget(context.Time, expire.Limit);
        return new MessagesExpired(count, Trim(expire.MaxFailed), due.Count == expire.Limit || forgotten == expire.Limit);
    }

    public MutationAnswer Write(ClearFailedMessages clear)
    {
        if (!context.Applying)
        {
            return NotApplied.Instance;
        }

        if (context.Session.Threads.Find(clear.ThreadId) is not { } sender)
        {
            return new FailedMessagesCleared(0);
        }

        if (clear.Numbers is null)
        {
            return new FailedMessagesCleared(context.Session.Failed.Clear(sender));
        }

        var entries = context.Session.Failed.List(sender, clear.Numbers);
        entries.ForEach(entry => context.Session.Failed.Remove(entry.Number));
        return new FailedMessagesCleared(entries.Count);
    }

    public MutationAnswer Write(ReplayFailedMessages replay)
    {
        if (!context.Applying)
        {
            return NotApplied.Instance;
        }

        if (context.Session.Threads.Find(replay.ThreadId) is not { } sender)
        {
            return new MessagesReplayed(0, 0);
        }

        int count = 0, left = 0;
        foreach (var entry in context.Session.Failed.List(sender, replay.Numbers))
        {
            if (TryReplay(sender, entry, replay))
            {
                context.Session.Failed.Remove(entry.Number);
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
        foreach (var waiting in context.Session.MessageIds.ExpiredIn(head.Number, 0, through, context.Time))
        {
            Expire(waiting);
        }
    }

    public void Fail(long sender, long recipient, long box, int attempts, ThreadMessage message, string reason)
    {
        context.Session.MessageIds.End(recipient, message.MessageId, box, context.Time);
        context.Session.Failed.Add(sender, recipient, box, 0, attempts, context.Time, MailEventJson.Serialize(message), reason);
        context.State.Grown.Add(sender);
    }

    /// <summary>Drops the oldest failed messages of the threads to which some came, where there are too many.</summary>
    public int Trim(int max)
    {
        var dropped = 0;
        foreach (var sender in context.State.Grown.TakeAll())
        {
            dropped += context.Session.Failed.Trim(sender, max);
        }

        return dropped;
    }

    public static MailPosted Known((long Place, long Box) known) =>
        new(known.Box == MessageIdTable.Mailbox ? known.Place : 0) { WasKnown = true };

    private long Post(long thread, ThreadMessage message, TimeSpan? keep)
    {
        var (head, _) = post.Post(thread, [message]);
        if (keep is { } time)
        {
            context.Session.MessageIds.Add(thread, message, MessageIdTable.Mailbox, head.LastSequence, time);
        }

        return head.LastSequence;
    }

    private bool IsFull(long thread, long max)
    {
        var head = context.Session.Threads.Head(thread);
        return (context.State.Mailboxes.Find(head.Id)?.Unread ?? head.Unacknowledged).Messages >= max;
    }

    private List<MessageIdTable.Waiting> ExpiredUnread(long thread)
    {
        var head = context.Session.Threads.Head(thread);
        var readThrough = context.State.Mailboxes.Find(head.Id)?.ReadThrough ?? 0;
        return context.Session.MessageIds.ExpiredIn(thread, readThrough, head.LastSequence, context.Time);
    }

    /// <summary>Makes a failed message of one that has expired. A message that a host is sending is that host's to judge.</summary>
    private bool Expire(MessageIdTable.Waiting waiting)
    {
        if (waiting.Box == MessageIdTable.Outbox)
        {
            if (context.Session.Outbox.Find(waiting.Place) is not { Claim: null } entry)
            {
                return false;
            }

            context.Session.Outbox.Remove(entry, context.Time);
            Fail(entry.Sender, entry.Recipient, MessageIdTable.Outbox, entry.Attempts, entry.Message, FailureReasons.Expired(entry.Message));
            return true;
        }

        if (context.Session.Mail.Take(waiting.Thread, waiting.Place) is not { } json)
        {
            context.Session.MessageIds.End(waiting.Thread, waiting.Id, waiting.Box, context.Time);
            return false;
        }

        var message = (ThreadMessage)MailEventJson.Deserialize(json);
        post.TakenOut(waiting.Thread, waiting.Place);
        Fail(
            context.Session.Threads.Ensure(message.FromThreadId), waiting.Thread, MessageIdTable.Mailbox, 0, message, FailureReasons.Expired(message));
        return true;
    }

    private bool TryReplay(long sender, FailedTable.Entry entry, ReplayFailedMessages replay)
    {
        var mail = MailEventJson.Deserialize(entry.Json);
        if (entry.Box == MessageIdTable.Outbox)
        {
            var outgoing = (ThreadMessage)mail with { ExpiresAt = replay.ExpiresAt };
            var number = context.Session.Outbox.Add(sender, entry.Recipient, outgoing, context.Time);
            context.Session.MessageIds.Add(entry.Recipient, outgoing, MessageIdTable.Outbox, number, replay.KeepIdFor);
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
        var mailbox = context.State.Mailboxes.Find(context.Session.Threads.Head(entry.Recipient).Id);
        if ((mailbox is null ? context.Session.Tasks.FindWaitingAgent(entry.Recipient) : mailbox.Agent) is not { } agent
            || context.Session.Tasks.Head(agent) is not { IsLive: true, AgentOpen: true }
            || !AgentMessage.TryRead(mail, out var from, out var content))
        {
            return false;
        }

        post.Post(entry.Recipient, [AgentMessage.Create(context.Session.Ids.IdOf(agent), from, content)], agent);
        return true;
    }
}
