namespace Coppice.Sqlite;

/// <summary>Appends to conversations, and forgets them.</summary>
internal sealed class ConversationWriter(BatchContext context, MailWriter mail)
{
    public MutationAnswer Write(AppendConversation append)
    {
        if (context.State.Mailboxes.Find(append.ThreadId) is not { } mailbox || mailbox.Reader != append.Reader)
        {
            return ReaderRefused.Instance;
        }

        var session = context.Session;
        var count = session.Threads.Head(append.ThreadId)?.Entries ?? 0;
        if (count != append.FirstEntry)
        {
            return new ConversationMoved(count);
        }

        if (!context.Applying)
        {
            return NotApplied.Instance;
        }

        if (append.Entries.Count > 0)
        {
            var thread = session.Threads.Ensure(append.ThreadId);
            foreach (var entry in append.Entries)
            {
                session.Conversations.Add(thread, count++, entry);
            }

            session.Threads.SetEntries(thread, count);
        }

        mail.Acknowledge(append.ThreadId, mailbox, append.AcknowledgeThrough);
        return new ConversationAppended(count);
    }

    public MutationAnswer Write(ForgetConversation forget)
    {
        if (!context.Applying)
        {
            return NotApplied.Instance;
        }

        if (context.Session.Threads.Head(forget.ThreadId) is not { Entries: > 0 } head)
        {
            return new ConversationForgotten(0);
        }

        var count = head.Entries;
        context.Session.Conversations.Forget(head.Number);
        context.Session.Threads.SetEntries(head.Number, 0);
        return new ConversationForgotten(count);
    }
}
