using System.Collections.Immutable;

namespace Coppice.Properties.Tests.Model;

/// <summary>A thread's mail as the model has it: what is not acknowledged, and who reads it.</summary>
internal sealed record Mailbox
{
    public static Mailbox Empty { get; } = new();

    public ImmutableList<InboxItem> Mail { get; init; } = [];

    public long LastSequence { get; init; }

    public long AcknowledgedThrough { get; init; }

    /// <summary>What the reader has read counts as read, for limits; it is not acknowledged.</summary>
    public long ReadThrough { get; init; }

    /// <summary>Gets the number of the reader that has it, or 0.</summary>
    public int Reader { get; init; }

    public ImmutableList<DeadLetter> DeadLetters { get; init; } = [];

    public int UnreadMessages => Mail.Count(item => item.Sequence > ReadThrough && AgentMessage.TryRead(item.Event, out _, out _));

    public bool CallsForReader =>
        Reader == 0 && Mail.Any(item => item.Event is not CustomTaskEvent || AgentMessage.TryRead(item.Event, out _, out _));

    public Mailbox Post(MailEvent mail) =>
        this with { Mail = Mail.Add(new InboxItem(LastSequence + 1, mail)), LastSequence = LastSequence + 1 };

    public Mailbox OpenFor(int reader) => this with { Reader = reader, ReadThrough = AcknowledgedThrough };

    public Mailbox Close() => OpenFor(0);

    public Mailbox Acknowledge(long through)
    {
        through = Math.Max(AcknowledgedThrough, Math.Min(through, LastSequence));
        return this with { AcknowledgedThrough = through, Mail = Mail.RemoveAll(item => item.Sequence <= through) };
    }

    public Mailbox Bury(string agent)
    {
        var dead = Mail.FindAll(item => AgentMessage.TryRead(item.Event, out _, out _) && ((TaskEvent)item.Event).TaskId == agent);
        return this with
        {
            Mail = Mail.RemoveRange(dead),
            DeadLetters = DeadLetters.AddRange(dead.Select(item => new DeadLetter(item.Sequence, (CustomTaskEvent)item.Event, ""))),
        };
    }
}

/// <summary>An inbox object: which mailbox it was opened for, how far it has read, and whether it was disposed.</summary>
internal sealed record Reader(string ThreadId, int Host, long Cursor, bool IsDisposed);

/// <summary>What calling an inbox comes to.</summary>
internal enum ReaderState
{
    Open,
    TakenOver,
    Disposed,
}
