namespace Coppice.Sqlite;

/// <summary>Puts mail into mailboxes and takes it out, keeping counts and open mailboxes in step.</summary>
internal sealed class MailPost(BatchContext context)
{
    /// <summary>Posts mail to one mailbox, in order.</summary>
    /// <param name="thread">The thread.</param>
    /// <param name="mail">The mail, at least one piece.</param>
    /// <param name="addressee">The agent task that it is addressed to, if it is.</param>
    /// <returns>The head with the mail in it, and what is unread now.</returns>
    public (ThreadHead Head, MailCounts Unread) Post(long thread, IReadOnlyList<MailEvent> mail, long? addressee = null)
    {
        var counts = default(MailCounts);
        foreach (var piece in mail)
        {
            counts += MailCounts.One(piece.GetClass());
        }

        var head = context.Session.Threads.Post(thread, counts);
        var sequence = head.LastSequence - mail.Count;
        foreach (var piece in mail)
        {
            context.Session.Mail.Add(thread, ++sequence, piece.GetClass(), addressee, piece);
        }

        context.Counters.MailDepth += counts.Total;
        var mailbox = context.State.Mailboxes.Find(head.Id);
        ChangeUnread(mailbox, counts);
        context.Notices.Add(new Notice.Mail(head.Id, counts.Waking > 0, mailbox is not null || context.Session.Tasks.FindWaitingAgent(thread) is not null));
        return (head, mailbox?.Unread ?? head.Unacknowledged);
    }

    /// <summary>Turns what an ended agent had not acknowledged into dead letters and closes its mailbox, if it still has it.</summary>
    public void Bury(string agentId, in TaskHead agent)
    {
        if (agent.AgentThread is not { } thread)
        {
            return;
        }

        var threadId = context.Session.Threads.Head(thread).Id;
        var buried = context.Session.Mail.Bury(thread, agent.Number);
        var mailbox = context.State.Mailboxes.Find(threadId);
        if (buried.Count > 0)
        {
            var reason = $"The agent task '{agentId}' ended before it acknowledged this message.";
            foreach (var (sequence, json) in buried)
            {
                context.Session.Failed.Add(agent.Owner, thread, FailedTable.Agent, sequence, 0, context.Time, json, reason);
            }

            context.State.Grown.Add(agent.Owner);
            Release(thread, acknowledged: 0, new MailCounts(0, 0, buried.Count));
            var readThrough = mailbox?.ReadThrough ?? 0;
            ChangeUnread(mailbox, new MailCounts(0, 0, -buried.Count(letter => letter.Sequence > readThrough)));
        }

        if (mailbox?.Agent == agent.Number)
        {
            Close(threadId, mailbox);
        }
        else if (mailbox is null && agent.IsWaiting)
        {
            TellLeft(threadId, context.Session.Threads.Head(thread).Unacknowledged);
        }
    }

    /// <summary>Closes the mailbox of an agent whose work was given back, if it still has it. What is in there waits for the next attempt.</summary>
    public void Vacate(in TaskHead agent)
    {
        if (agent.AgentThread is { } thread
            && context.Session.Threads.Head(thread).Id is var threadId
            && context.State.Mailboxes.Find(threadId) is { } mailbox && mailbox.Agent == agent.Number)
        {
            Close(threadId, mailbox);
        }
    }

    /// <summary>A message is not in its mailbox any more, and was not acknowledged.</summary>
    public void TakenOut(long thread, long sequence)
    {
        Release(thread, acknowledged: 0, MailCounts.One(MailClass.Message));
        var mailbox = context.State.Mailboxes.Find(context.Session.Threads.Head(thread).Id);
        if (mailbox is not null && sequence > mailbox.ReadThrough)
        {
            ChangeUnread(mailbox, default(MailCounts) - MailCounts.One(MailClass.Message));
        }
    }

    public void Release(long thread, long acknowledged, MailCounts mail)
    {
        context.Counters.MailDepth -= mail.Total;
        context.Session.Threads.Release(thread, acknowledged, mail);
    }

    public void Open(string threadId, Guid reader, long? agent)
    {
        var head = context.Session.Threads.Head(threadId);
        context.State.Mailboxes.Set(
            threadId, new MailboxReader(reader, context.Epoch, agent, head?.Acknowledged ?? 0, head?.Unacknowledged ?? default));
        context.Notices.Add(new Notice.MailboxOpened(threadId, reader));
    }

    public void Close(string threadId, MailboxReader mailbox)
    {
        context.State.Mailboxes.Set(threadId, null);
        TellLeft(threadId, mailbox.Unread);
    }

    /// <summary>Tells that mail is left without a reader, unless an agent is about to read it.</summary>
    private void TellLeft(string threadId, MailCounts unread)
    {
        if (unread.Waking > 0 && !(context.Session.Threads.Find(threadId) is { } thread && context.Session.Tasks.FindWaitingAgent(thread) is not null))
        {
            context.Notices.Add(new Notice.MailLeftUnread(threadId));
        }
    }

    private void ChangeUnread(MailboxReader? mailbox, MailCounts change)
    {
        if (mailbox is null)
        {
            return;
        }

        mailbox.Change(change);
        context.State.Undo.Add(() => mailbox.Change(default(MailCounts) - change));
    }
}
