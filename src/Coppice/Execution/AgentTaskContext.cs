namespace Coppice;

/// <summary>What an agent's body works with: a thread and an inbox of its own besides.</summary>
public sealed class AgentTaskContext : TaskContext
{
    internal AgentTaskContext(BackgroundTaskManager manager, string taskId, string ownerThreadId, LiveTask live, Inbox inbox)
        : base(manager, taskId, ownerThreadId, live) => Inbox = inbox;

    /// <summary>Gets the agent's own thread: it spawns its tasks there, and their mail comes here.</summary>
    public string ThreadId => Inbox.ThreadId;

    /// <summary>
    /// Gets the inbox, open over that thread: messages (see <see cref="AgentMessage"/>) and the events of the agent's tasks. Opening
    /// the thread's inbox anywhere else takes it over.
    /// </summary>
    public Inbox Inbox { get; }

    /// <summary>
    /// Takes no more messages: senders get <see cref="SendResult.InboxClosed"/>. What is there can still be read, and the events of the
    /// agent's tasks still come. The store hears of it in the background; a message on its way may still arrive.
    /// </summary>
    public void CloseInbox() => Live?.CloseInbox();
}
