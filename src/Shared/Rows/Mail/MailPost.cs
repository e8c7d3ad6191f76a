namespace Coppice.Rows;

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

        var head = context.Threads.Post(thread, counts);
        var sequence = head.LastSequence - mail.Count;
        foreach (var piece in mail)
        {
            context.Mail.Add(thread, ++sequence, piece.GetClass(), addressee, piece);
        }

        var unread = context.Mailboxes.ChangeUnread(thread, counts);
        var hasReader = unread is not null || context.Tasks.FindWaitingAgent(thread) is not null;
        context.Notices.Add(new Notice.Mail(head.Id, counts.Waking > 0, hasReader));
        return (head, unread ?? head.Unacknowledged);
    }

    /// <summary>Turns what an ended agent had not acknowledged into dead letters and closes its mailbox, if it still has it.</summary>
    public void Bury(string agentId, in TaskHead agent)
    {
        if (agent.AgentThread is not { } thread)
        {
            return;
        }

        var buried = context.Threads.Head(thread).Unacknowledged.Messages > 0 ? context.Mail.Bury(thread, agent.Number) : [];
        var reader = context.Mailboxes.Find(thread);
        if (buried.Count > 0)
        {
            var reason = $"The agent task '{agentId}' ended before it acknowledged this message.";
            foreach (var (sequence, json) in buried)
            {
                context.Failed.Add(agent.Owner, thread, MessageBox.Agent, sequence, 0, context.Time, json, reason);
            }

            context.Threads.Release(thread, acknowledged: 0, new MailCounts(0, 0, buried.Count));
            if (reader is { ReadThrough: var readThrough })
            {
                context.Mailboxes.ChangeUnread(thread, new MailCounts(0, 0, -buried.Count(letter => letter.Sequence > readThrough)));
            }
        }

        if (reader?.Agent == agent.Number)
        {
            Close(context.Mailboxes.Find(thread)!.Value);
        }
        else if (reader is null && agent.IsWaiting)
        {
            var head = context.Threads.Head(thread);
            TellLeft(head.Id, head.Unacknowledged);
        }
    }

    /// <summary>
    /// Closes the mailbox of an agent whose work was given back, if it still has it. What is in there waits for the next attempt.
    /// </summary>
    public void Vacate(in TaskHead agent)
    {
        if (agent.AgentThread is { } thread && context.Mailboxes.Find(thread) is { } reader && reader.Agent == agent.Number)
        {
            Close(reader);
        }
    }

    /// <summary>A message is not in its mailbox any more, and was not acknowledged.</summary>
    public void TakenOut(long thread, long sequence)
    {
        context.Threads.Release(thread, acknowledged: 0, MailCounts.One(MailClass.Message));
        if (context.Mailboxes.Find(thread) is { } reader && sequence > reader.ReadThrough)
        {
            context.Mailboxes.ChangeUnread(thread, default(MailCounts) - MailCounts.One(MailClass.Message));
        }
    }

    /// <summary>What is unread of a thread's mail: for its reader, or for the next one, where nobody has the mailbox open.</summary>
    public MailCounts Unread(long thread) => context.Mailboxes.Find(thread)?.Unread ?? context.Threads.Head(thread).Unacknowledged;

    /// <summary>
    /// Opens a mailbox for a reader of the batch's host, and tells up to where its mail is acknowledged: it begins after that.
    /// </summary>
    public long Open(string threadId, Guid reader, long? agent)
    {
        var head = context.Threads.Head(threadId);
        var readThrough = head?.Acknowledged ?? 0;
        var before = context.Mailboxes.Find(threadId)?.Reader;
        context.Mailboxes.Open(new ReaderHead(threadId, reader, context.Epoch, agent, readThrough, head?.Unacknowledged ?? default));
        context.Notices.Add(new Notice.MailboxOpened(threadId, reader, TakenFrom: before == reader ? null : before));
        return readThrough;
    }

    /// <summary>Closes an open mailbox, and tells of mail that is left in it.</summary>
    public void Close(in ReaderHead reader)
    {
        context.Mailboxes.Close(reader.ThreadId);
        TellLeft(reader.ThreadId, reader.Unread);
    }

    /// <summary>Tells that mail is left without a reader, unless an agent is about to read it.</summary>
    private void TellLeft(string threadId, MailCounts unread)
    {
        if (unread.Waking > 0 && !(context.Threads.Find(threadId) is { } thread && context.Tasks.FindWaitingAgent(thread) is not null))
        {
            context.Notices.Add(new Notice.MailLeftUnread(threadId));
        }
    }
}
