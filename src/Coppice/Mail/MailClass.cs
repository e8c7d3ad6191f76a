namespace Coppice;

/// <summary>What a piece of mail is to its reader; limits and wake-ups go by it.</summary>
public enum MailClass
{
    /// <summary>An event that a task emitted. Bounded, and wakes nobody.</summary>
    Custom,

    /// <summary>How a task ended. Never refused, and wakes the thread.</summary>
    Terminal,

    /// <summary>A message. Wakes the thread.</summary>
    Message,
}

/// <summary>Sorts mail into its classes.</summary>
public static class MailClassExtensions
{
    /// <summary>The class of a piece of mail.</summary>
    /// <param name="mail">The mail.</param>
    /// <exception cref="ArgumentNullException"><paramref name="mail"/> is <see langword="null"/>.</exception>
    public static MailClass GetClass(this MailEvent mail)
    {
        ArgumentNullException.ThrowIfNull(mail);
        return mail switch
        {
            TaskEvent { IsTerminal: true } => MailClass.Terminal,
            ThreadMessage or LiveInput or CustomTaskEvent { EventType: AgentMessage.EventType } => MailClass.Message,
            _ => MailClass.Custom,
        };
    }

    /// <summary>Whether mail of this class calls for a reader (law 8).</summary>
    /// <param name="mailClass">The class.</param>
    public static bool Wakes(this MailClass mailClass) => mailClass != MailClass.Custom;
}
