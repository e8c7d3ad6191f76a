namespace Coppice;

/// <summary>What became of a message to an agent task. Told apart in this order.</summary>
public enum SendResult
{
    /// <summary>It is stored in the mailbox of the agent's thread.</summary>
    Delivered,

    /// <summary>There is no such task.</summary>
    TaskNotFound,

    /// <summary>The task belongs to another thread than the sender's.</summary>
    NotOwner,

    /// <summary>The task has ended.</summary>
    TaskTerminated,

    /// <summary>The task has no inbox: it is not an agent task.</summary>
    NoInbox,

    /// <summary>The agent has closed its inbox.</summary>
    InboxClosed,

    /// <summary>The inbox holds as many unread messages as it may.</summary>
    InboxFull,
}
