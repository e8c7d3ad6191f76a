namespace Coppice;

/// <summary>A thread's mail that is not acknowledged yet, and who reads it. Guarded by the thread's partition.</summary>
internal sealed class Mailbox
{
    // A MailEvent; or for a terminal event the ended TaskRecord, which says it all and is mostly kept anyway.
    private readonly List<object?> _mail = [];
    private int _head;
    private long _next = 1;
    private long _readThrough;
    private Tally _unread;
    private Tally _unacknowledged;

    internal Guid Reader { get; private set; }

    internal HostFence ReaderHost { get; private set; }

    internal bool HasReader => Reader != Guid.Empty;

    internal long AcknowledgedThrough => _next - 1 - (_mail.Count - _head);

    internal int UnreadEvents => _unread.Custom;

    internal int UnreadMessages => _unread.Message;

    internal bool HasUnreadToWakeFor => _unread.Message + _unread.Terminal > 0;

    internal int Depth => _unacknowledged.All;

    internal int UnacknowledgedMessages => _unacknowledged.Message;

    internal long ReadThrough => _readThrough;

    internal long Post(MailEvent mail) => Post(mail, mail.GetClass());

    /// <summary>Posts the terminal event of a task that has ended.</summary>
    internal long Post(TaskRecord ended) => Post(ended, MailClass.Terminal);

    internal void Open(Guid reader, HostFence host)
    {
        Reader = reader;
        ReaderHost = host;
        Rewind();
    }

    /// <summary>Closes the mailbox. Tells whether mail that calls for a reader was not read.</summary>
    internal bool Close()
    {
        var leftUnread = HasUnreadToWakeFor;
        Reader = Guid.Empty;
        ReaderHost = HostFence.None;
        Rewind();
        return leftUnread;
    }

    internal List<InboxItem> Read(long after, int limit)
    {
        var items = new List<InboxItem>(Math.Min(limit, Math.Max(0, (int)Math.Min(int.MaxValue, _next - 1 - after))));
        var sequence = Math.Max(after, AcknowledgedThrough) + 1;
        for (; sequence < _next && items.Count < limit; sequence++)
        {
            if (At(sequence) is { } mail)
            {
                items.Add(new InboxItem(sequence, mail));
            }
        }

        MarkRead(Math.Min(sequence, _next) - 1);
        return items;
    }

    internal long Acknowledge(long through)
    {
        through = Math.Min(through, _next - 1);
        for (var sequence = AcknowledgedThrough + 1; sequence <= through; sequence++)
        {
            Remove(sequence);
            _head++;
        }

        if (_head > 32 && _head * 2 > _mail.Count)
        {
            _mail.RemoveRange(0, _head);
            _head = 0;
        }

        return AcknowledgedThrough;
    }

    /// <summary>Takes the messages to an agent out that it did not acknowledge.</summary>
    internal IReadOnlyList<(long Sequence, MailEvent Message)> Bury(string agentTaskId)
    {
        List<(long, MailEvent)>? buried = null;
        for (var sequence = AcknowledgedThrough + 1; sequence < _next; sequence++)
        {
            if (At(sequence) is CustomTaskEvent { EventType: AgentMessage.EventType } message && message.TaskId == agentTaskId)
            {
                (buried ??= []).Add((sequence, message));
                Remove(sequence);
            }
        }

        return buried ?? (IReadOnlyList<(long, MailEvent)>)[];
    }

    /// <summary>Takes one piece of mail out, if it is there and not acknowledged.</summary>
    internal MailEvent? Take(long sequence)
    {
        if (sequence <= AcknowledgedThrough || sequence >= _next || At(sequence) is not { } mail)
        {
            return null;
        }

        Remove(sequence);
        return mail;
    }

    private long Post(object mail, MailClass mailClass)
    {
        _mail.Add(mail);
        _unread.Add(mailClass, 1);
        _unacknowledged.Add(mailClass, 1);
        return _next++;
    }

    private MailEvent? At(long sequence) => _mail[Index(sequence)] switch
    {
        TaskRecord ended => ended.ToTerminalEvent(),
        var mail => (MailEvent?)mail,
    };

    private MailClass? ClassAt(long sequence) => _mail[Index(sequence)] switch
    {
        null => null,
        TaskRecord => MailClass.Terminal,
        var mail => ((MailEvent)mail).GetClass(),
    };

    private int Index(long sequence) => _head + (int)(sequence - AcknowledgedThrough - 1);

    private void Remove(long sequence)
    {
        if (ClassAt(sequence) is not { } mailClass)
        {
            return;
        }

        _unacknowledged.Add(mailClass, -1);
        if (sequence > _readThrough)
        {
            _unread.Add(mailClass, -1);
        }

        _mail[Index(sequence)] = null;
    }

    private void MarkRead(long through)
    {
        for (var sequence = Math.Max(_readThrough, AcknowledgedThrough) + 1; sequence <= through; sequence++)
        {
            if (ClassAt(sequence) is { } mailClass)
            {
                _unread.Add(mailClass, -1);
            }
        }

        _readThrough = Math.Max(_readThrough, through);
    }

    private void Rewind()
    {
        _readThrough = AcknowledgedThrough;
        _unread = _unacknowledged;
    }

    private struct Tally
    {
        internal int Custom;
        internal int Terminal;
        internal int Message;

        internal readonly int All => Custom + Terminal + Message;

        internal void Add(MailClass mailClass, int count)
        {
            switch (mailClass)
            {
                case MailClass.Custom: Custom += count; break;
                case MailClass.Terminal: Terminal += count; break;
                default: Message += count; break;
            }
        }
    }
}
