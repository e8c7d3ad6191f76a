namespace Coppice;

/// <summary>What became of a message to a thread.</summary>
public enum PostResult
{
    /// <summary>It is stored, in the thread's mailbox or on its way out. Also when its id was accepted before.</summary>
    Accepted,

    /// <summary>The mailbox holds as many unread messages as it may (<see cref="BackgroundTaskOptions.MaxUnreadMessages"/>).</summary>
    MailboxFull,
}
