namespace Coppice;

/// <content>Mail: posting, reading, acknowledging.</content>
public sealed partial class InMemoryTaskStore
{
    private static EventsPosted Post(TaskRecord task, PostEvents post, ChangeFeed.Turn turn)
    {
        PostNew(task, post.FirstEvent, post.Events, turn);
        return new EventsPosted(task.Owner.Mail.UnreadEvents);
    }

    private EventsPosted Post(PostEvents post, ChangeFeed.Turn turn) => Post(_directory.Find(post.TaskId)!, post, turn);

    /// <summary>Posts what is not stored yet; an answer that was lost makes a host hand events in twice.</summary>
    private static void PostNew(TaskRecord task, int firstEvent, IReadOnlyList<CustomTaskEvent> events, ChangeFeed.Turn turn)
    {
        for (var i = Math.Max(0, task.StoredEvents - firstEvent); i < events.Count; i++)
        {
            task.StoredEvents = firstEvent + i + 1;
            turn.TellChange(TaskChangeKind.Emitted, task, events[i]);
            PostTo(task.Owner, events[i], turn);
        }
    }

    private static long PostTo(ThreadPartition partition, MailEvent mail, ChangeFeed.Turn turn)
    {
        var sequence = partition.Mail.Post(mail);
        TellMail(partition, mail.GetClass().Wakes(), turn);
        return sequence;
    }

    private static void PostEnd(TaskRecord ended, ChangeFeed.Turn turn)
    {
        ended.Owner.Mail.Post(ended);
        TellMail(ended.Owner, wakes: true, turn);
    }

    private static void TellMail(ThreadPartition partition, bool wakes, ChangeFeed.Turn turn)
    {
        foreach (var listener in turn.Listeners)
        {
            listener.OnMail(partition.ThreadId, wakes, partition.IsAttended);
        }
    }

    private SendRefused? CheckSend(SendMessage send)
    {
        if (_directory.Find(send.TaskId) is not { } task)
        {
            return Refusal(SendResult.TaskNotFound);
        }

        if (task.Owner.ThreadId != send.From.ThreadId)
        {
            return Refusal(SendResult.NotOwner);
        }

        if (!task.IsLive)
        {
            return Refusal(SendResult.TaskTerminated, task.State);
        }

        return task.Agent switch
        {
            null => Refusal(SendResult.NoInbox),
            { IsClosed: true } => Refusal(SendResult.InboxClosed),
            var seat when Partition(seat.ThreadId).Mail.UnreadMessages >= send.MaxUnread => Refusal(SendResult.InboxFull),
            _ => null,
        };
    }

    private static SendRefused Refusal(SendResult result, TaskState? state = null) => new(new SendReceipt(result, state));

    private static CustomTaskEvent MessageOf(SendMessage send) => AgentMessage.Create(send.TaskId, send.From.AgentId, send.Content);

    private MessageSent Send(SendMessage send, MailEvent message, ChangeFeed.Turn turn) =>
        new(PostTo(Partition(_directory.Find(send.TaskId)!.Agent!.ThreadId), message, turn));

    private TaskMoved CloseInbox(CloseAgentInbox close)
    {
        if (_directory.Find(close.TaskId)!.Agent is { } seat)
        {
            seat.IsClosed = true;
        }

        return TaskMoved.Instance;
    }

    private bool IsReader(string threadId, Guid reader) =>
        _partitions.TryGetValue(threadId, out var partition) && reader != Guid.Empty && partition.Mail.Reader == reader;

    private MailboxOpened Open(MutationBatch batch, OpenMailbox open, ChangeFeed.Turn turn)
    {
        var mail = Partition(open.ThreadId).Mail;
        Guid? takenFrom = mail.Reader == Guid.Empty || mail.Reader == open.Reader ? null : mail.Reader;
        mail.Open(open.Reader, batch.Host);
        foreach (var listener in turn.Listeners)
        {
            listener.OnMailboxOpened(open.ThreadId, open.Reader, takenFrom);
        }

        return new MailboxOpened(mail.AcknowledgedThrough);
    }

    private MailboxClosed Close(CloseMailbox close, ChangeFeed.Turn turn)
    {
        if (IsReader(close.ThreadId, close.Reader))
        {
            CloseMail(Partition(close.ThreadId), turn);
        }

        return MailboxClosed.Instance;
    }

    private static void CloseMail(ThreadPartition partition, ChangeFeed.Turn turn)
    {
        if (!partition.Mail.Close() || partition.IsAttended)
        {
            return;
        }

        foreach (var listener in turn.Listeners)
        {
            listener.OnMailLeftUnread(partition.ThreadId);
        }
    }

    private MailAcknowledged Acknowledge(MutationBatch batch, AcknowledgeMail acknowledge) =>
        new(Acknowledge(batch, Partition(acknowledge.ThreadId), acknowledge.ThroughSequence));

    private long Acknowledge(MutationBatch batch, ThreadPartition partition, long throughSequence)
    {
        AcknowledgeMessages(partition, throughSequence, batch.Time);
        return partition.Mail.Acknowledge(throughSequence);
    }
}
