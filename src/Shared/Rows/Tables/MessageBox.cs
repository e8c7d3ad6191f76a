namespace Coppice.Rows;

/// <summary>Where a message between threads is or was. The values are stored.</summary>
internal enum MessageBox
{
    /// <summary>In the mailbox of its recipient.</summary>
    Mailbox = 0,

    /// <summary>In the outbox, to be sent.</summary>
    Outbox = 1,

    /// <summary>In the mailbox of an agent task, to which it was addressed.</summary>
    Agent = 2,
}
