namespace Coppice.Sqlite;

/// <summary>Sends messages to agents, opens and closes mailboxes, acknowledges mail.</summary>
internal sealed class MailWriter(BatchContext context, MailPost post, MessageWriter messages)
{
    public MutationAnswer Write(SendMessage send)
    {
        if (Refuse(send, out var task) is { } refusal)
        {
            return new SendRefused(refusal);
        }

        if (!context.Applying)
        {
            return NotApplied.Instance;
        }

        var (head, _) = post.Post(
            task.AgentThread!.Value, [AgentMessage.Create(send.TaskId, send.From.AgentId, send.Content)], task.Number);
        return new MessageSent(head.LastSequence);
    }

    public MutationAnswer Write(PostInput input)
    {
        var threads = context.Session.Threads;
        if (threads.Find(input.ThreadId) is { } known && UnreadMessages(known) >= input.MaxUnread)
        {
            return new SendRefused(new SendReceipt(SendResult.InboxFull, null));
        }

        if (!context.Applying)
        {
            return NotApplied.Instance;
        }

        var (head, _) = post.Post(threads.Ensure(input.ThreadId), [input.Input]);
        return new MailPosted(head.LastSequence);
    }

    public MutationAnswer Write(OpenMailbox open)
    {
        if (!context.Applying)
        {
            return NotApplied.Instance;
        }

        post.Open(open.ThreadId, open.Reader, agent: null);
        return new MailboxOpened(context.State.Mailboxes.Find(open.ThreadId)!.ReadThrough);
    }

    public MutationAnswer Write(CloseMailbox close)
    {
        if (!context.Applying)
        {
            return NotApplied.Instance;
        }

        if (context.State.Mailboxes.Find(close.ThreadId) is { } mailbox && mailbox.Reader == close.Reader)
        {
            post.Close(close.ThreadId, mailbox);
        }

        return MailboxClosed.Instance;
    }

    public MutationAnswer Write(AcknowledgeMail acknowledge)
    {
        if (context.State.Mailboxes.Find(acknowledge.ThreadId) is not { } mailbox || mailbox.Reader != acknowledge.Reader)
        {
            return ReaderRefused.Instance;
        }

        if (!context.Applying)
        {
            return NotApplied.Instance;
        }

        return new MailAcknowledged(Acknowledge(acknowledge.ThreadId, mailbox, acknowledge.ThroughSequence));
    }

    /// <summary>Is done with mail for the reader that has the mailbox, and tells the last piece that is done with.</summary>
    public long Acknowledge(string threadId, MailboxReader mailbox, long throughSequence)
    {
        if (context.Session.Threads.Head(threadId) is not { } head)
        {
            return 0;
        }

        var through = Math.Min(throughSequence, head.LastSequence);
        if (through <= head.Acknowledged)
        {
            return head.Acknowledged;
        }

        // Not taken back if the commit fails: the reader is done with it and would only acknowledge it again.
        mailbox.Skip(through, (after, last) => context.Session.Mail.Count(head.Number, after, last));
        if (head.Unacknowledged.Messages > 0)
        {
            messages.ExpireThrough(head, through);
        }

        var gone = context.Session.Mail.Acknowledge(head.Number, through);
        post.Release(head.Number, through, gone);
        if (gone.Messages > 0)
        {
            context.Session.MessageIds.EndThrough(head.Number, through, context.Time);
        }

        return through;
    }

    private SendReceipt? Refuse(SendMessage send, out TaskHead task)
    {
        task = default;
        if (context.Session.Ids.Find(send.TaskId) is not { } number || context.Session.Tasks.Head(number) is not { } found)
        {
            return new SendReceipt(SendResult.TaskNotFound, null);
        }

        task = found;
        if (context.Session.Threads.Find(send.From.ThreadId) != found.Owner)
        {
            return new SendReceipt(SendResult.NotOwner, null);
        }

        if (!found.IsLive)
        {
            return new SendReceipt(SendResult.TaskTerminated, found.State);
        }

        if (found.AgentThread is not { } agentThread)
        {
            return new SendReceipt(SendResult.NoInbox, null);
        }

        if (!found.AgentOpen)
        {
            return new SendReceipt(SendResult.InboxClosed, null);
        }

        return UnreadMessages(agentThread) >= send.MaxUnread ? new SendReceipt(SendResult.InboxFull, null) : null;
    }

    private int UnreadMessages(long thread)
    {
        var head = context.Session.Threads.Head(thread);
        return (context.State.Mailboxes.Find(head.Id)?.Unread ?? head.Unacknowledged).Messages;
    }
}
