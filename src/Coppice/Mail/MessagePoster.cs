namespace Coppice;

/// <summary>Posts messages: to a live agent, into a thread's mailbox or the outbox, and those again that failed.</summary>
internal sealed class MessagePoster(HostSession host, MessageDispatcher? dispatcher, BackgroundTaskOptions options, TaskMetrics metrics)
{
    internal async ValueTask<SendReceipt> SendAsync(SendMessage send, CancellationToken cancellationToken) =>
        await host.CommitAsync<MutationAnswer>("send", send, cancellationToken).ConfigureAwait(false) is SendRefused refused
            ? refused.Receipt
            : new SendReceipt(SendResult.Delivered, null);

    internal async ValueTask<InputReceipt> PostInputAsync(PostInput post, CancellationToken cancellationToken) =>
        await host.CommitAsync<MutationAnswer>("post_input", post, cancellationToken).ConfigureAwait(false) is MailPosted posted
            ? new InputReceipt(SendResult.Delivered, posted.Sequence)
            : new InputReceipt(SendResult.InboxFull, 0);

    internal ValueTask<PostReceipt> PostAsync(string toThreadId, ThreadMessage message, bool isCarried, CancellationToken cancellationToken) =>
        PostAsync(
            isCarried ? new PostToOutbox(toThreadId, message, options.MessageIdMemory) : ToMailbox(toThreadId, message, isDelivery: false),
            message,
            cancellationToken);

    internal ValueTask<PostReceipt> DeliverAsync(string toThreadId, ThreadMessage message, CancellationToken cancellationToken) =>
        PostAsync(ToMailbox(toThreadId, message, isDelivery: true), message, cancellationToken);

    internal async ValueTask<ReplayResult> ReplayAsync(string threadId, IReadOnlyCollection<long>? numbers, CancellationToken cancellationToken)
    {
        var replayed = await host.CommitAsync<MessagesReplayed>(
            "replay_messages",
            new ReplayFailedMessages(
                threadId, numbers, options.MessageIdMemory, MessageIds.ExpiryAfter(options.MessageTimeToLive, options.TimeProvider),
                options.MaxUnreadMessages),
            cancellationToken).ConfigureAwait(false);
        dispatcher?.Look();
        return new ReplayResult(replayed.Count, replayed.Left);
    }

    private PostMessage ToMailbox(string threadId, ThreadMessage message, bool isDelivery) => new(threadId, message)
    {
        MaxUnread = options.MaxUnreadMessages, KeepIdFor = options.MessageIdMemory, IsDelivery = isDelivery,
    };

    private async ValueTask<PostReceipt> PostAsync(Mutation post, ThreadMessage message, CancellationToken cancellationToken)
    {
        if (await host.CommitAsync<MutationAnswer>("post", post, cancellationToken).ConfigureAwait(false) is PostRefused refused)
        {
            return new PostReceipt("", refused.Result);
        }

        var isOutgoing = post is PostToOutbox;
        metrics.MessagePosted(isOutgoing ? "outbox" : "mailbox");
        if (isOutgoing)
        {
            dispatcher?.Look();
        }

        return new PostReceipt(message.MessageId, PostResult.Accepted);
    }
}
