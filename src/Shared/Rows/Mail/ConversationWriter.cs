namespace Coppice.Rows;

/// <summary>Appends to conversations, and forgets them.</summary>
internal sealed class ConversationWriter(BatchContext context, MailWriter mail)
{
    public MutationAnswer Write(AppendConversation append)
    {
        if (context.Mailboxes.Find(append.ThreadId)?.Reader != append.Reader)
        {
            return ReaderRefused.Instance;
        }

        var count = context.Threads.Head(append.ThreadId)?.Entries ?? 0;
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
            var thread = context.Threads.Ensure(append.ThreadId);
            foreach (var entry in append.Entries)
            {
                context.Conversations.Add(thread, count++, entry);
            }

            context.Threads.SetEntries(thread, count);
        }

        mail.Acknowledge(append.ThreadId, append.AcknowledgeThrough);
        return new ConversationAppended(count);
    }

    public MutationAnswer Write(ForgetConversation forget)
    {
        if (!context.Applying)
        {
            return NotApplied.Instance;
        }

        if (context.Threads.Head(forget.ThreadId) is not { Entries: > 0 } head)
        {
            return new ConversationForgotten(0);
        }

        var count = head.Entries;
        context.Conversations.Forget(head.Number);
        context.Threads.SetEntries(head.Number, 0);
        return new ConversationForgotten(count);
    }
}
