using System.Text.Json;

namespace Coppice;

/// <content>Mail.</content>
public sealed partial class BackgroundTaskManager
{
    /// <summary>Sends a message to a live agent task. When it is delivered it is stored, in the mailbox of the agent's own thread.</summary>
    /// <param name="taskId">The agent task.</param>
    /// <param name="from">The sender; its thread has to own the task.</param>
    /// <param name="content">The text, at most 256 KB; an empty message is a message.</param>
    /// <param name="cancellationToken">Gives the message up until the store's writer has it.</param>
    /// <returns>What became of it.</returns>
    public async ValueTask<SendReceipt> SendAsync(
        string taskId, MessageSender from, string content, CancellationToken cancellationToken = default)
    {
        Rules.CheckId(taskId, nameof(taskId));
        Rules.CheckId(from.ThreadId, "from.ThreadId");
        ArgumentNullException.ThrowIfNull(from.AgentId, "from.AgentId");
        Rules.CheckOptionalId(from.AgentId, "from.AgentId");
        var clean = Rules.CheckMessage(content, nameof(content));
        var core = await ReadyAsync(cancellationToken).ConfigureAwait(false);
        return await core.Messages.SendAsync(new SendMessage(taskId, from, clean, _options.MaxUnreadMessages), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Posts messages of a user to a thread while a run works on it. What is delivered is stored; it wakes a thread that nobody reads.</summary>
    /// <param name="threadId">The thread.</param>
    /// <param name="messages">
    /// A JSON array of one message or more, each an object with a string <c>role</c> and a <c>content</c>; at most 256 KB of JSON. Kept byte for byte.
    /// </param>
    /// <param name="cancellationToken">Gives the input up until the store's writer has it.</param>
    /// <returns>Its place in the mailbox, or that the mailbox holds as many unread messages as it may.</returns>
    /// <exception cref="ArgumentException">The messages are none, too long, or no JSON that can be kept.</exception>
    public async ValueTask<InputReceipt> PostInputAsync(string threadId, JsonElement messages, CancellationToken cancellationToken = default)
    {
        Rules.CheckId(threadId, nameof(threadId));
        var post = new PostInput(threadId, new LiveInput(Rules.CheckInput(messages, nameof(messages))), _options.MaxUnreadMessages);
        var core = await ReadyAsync(cancellationToken).ConfigureAwait(false);
        return await core.Messages.PostInputAsync(post, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Opens a thread's inbox. One that is open elsewhere is taken over: the old reader gets <see cref="InboxTakenOverException"/>.
    /// What was read but not acknowledged before comes again.
    /// </summary>
    /// <param name="ownerThreadId">The thread.</param>
    /// <param name="cancellationToken">Gives it up until the store's writer has it.</param>
    public async ValueTask<Inbox> OpenInboxAsync(string ownerThreadId, CancellationToken cancellationToken = default)
    {
        Rules.CheckId(ownerThreadId, nameof(ownerThreadId));
        var core = await ReadyAsync(cancellationToken).ConfigureAwait(false);
        return await core.Mailroom.OpenAsync(ownerThreadId, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Lists the messages that an agent had not acknowledged when it ended, oldest first.</summary>
    /// <param name="threadId">The agent's own thread.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public async ValueTask<IReadOnlyList<DeadLetter>> ListDeadLettersAsync(
        string threadId, CancellationToken cancellationToken = default)
    {
        Rules.CheckId(threadId, nameof(threadId));
        var core = await ReadyAsync(cancellationToken).ConfigureAwait(false);
        return await core.Store.ListDeadLettersAsync(threadId, cancellationToken).ConfigureAwait(false);
    }
}
