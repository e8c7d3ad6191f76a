namespace Coppice.Rows;

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
        if (context.Threads.Find(input.ThreadId) is { } known && post.Unread(known).Messages >= input.MaxUnread)
        {
            return new SendRefused(new SendReceipt(SendResult.InboxFull, null));
        }

        if (!context.Applying)
        {
            return NotApplied.Instance;
        }

        var (head, _) = post.Post(context.Threads.Ensure(input.ThreadId), [input.Input]);
        return new MailPosted(head.LastSequence);
    }

    public MutationAnswer Write(OpenMailbox open)
    {
        if (!context.Applying)
        {
            return NotApplied.Instance;
        }

        return new MailboxOpened(post.Open(open.ThreadId, open.Reader, agent: null));
    }

    public MutationAnswer Write(CloseMailbox close)
    {
        if (!context.Applying)
        {
            return NotApplied.Instance;
        }

        if (context.Mailboxes.Find(close.ThreadId) is { } reader && reader.Reader == close.Reader)
        {
            post.Close(reader);
        }

        return MailboxClosed.Instance;
    }

    public MutationAnswer Write(AcknowledgeMail acknowledge)
    {
        if (context.Mailboxes.Find(acknowledge.ThreadId)?.Reader != acknowledge.Reader)
        {
            return ReaderRefused.Instance;
        }

        if (!context.Applying)
        {
            return NotApplied.Instance;
        }

        return new MailAcknowledged(Acknowledge(acknowledge.ThreadId, acknowledge.ThroughSequence));
    }

    /// <summary>Is done with mail for the reader that has the mailbox, and tells the last piece that is done with.</summary>
    public long Acknowledge(string threadId, long throughSequence)
    {
        if (context.Threads.Head(threadId) is not { } head)
        {
            return 0;
        }

        var through = Math.Min(throughSequence, head.LastSequence);
        if (through <= head.Acknowledged)
        {
            return head.Acknowledged;
        }

        context.Mailboxes.Skip(head.Number, through);
        if (head.Unacknowledged.Messages > 0)
        {
            messages.ExpireThrough(head, through);
        }

        var gone = context.Mail.Acknowledge(head.Number, through);
        context.Threads.Release(head.Number, through, gone);
        if (gone.Messages > 0)
        {
            context.MessageIds.EndThrough(head.Number, through, context.Time);
        }

        return through;
    }

    private SendReceipt? Refuse(SendMessage send, out TaskHead task)
    {
        task = default;
        if (context.Ids.Find(send.TaskId) is not { } number || context.Tasks.Head(number) is not { } found)
        {
            return new SendReceipt(SendResult.TaskNotFound, null);
        }

        task = found;
        if (context.Threads.Find(send.From.ThreadId) != found.Owner)
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

        return post.Unread(agentThread).Messages >= send.MaxUnread ? new SendReceipt(SendResult.InboxFull, null) : null;
    }
}
