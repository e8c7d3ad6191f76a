using Microsoft.Extensions.Logging;

namespace Coppice;

/// <summary>Looks, with each heartbeat, for messages that have expired. It costs a look where there are none.</summary>
internal sealed class MessageKeeper(StoreGateway store, HostSession host, BackgroundTaskOptions options, TaskMetrics metrics, ILogger logger)
{
    private const int AtOnce = 1000;

    internal async ValueTask SweepAsync()
    {
        bool hasMore;
        do
        {
            var now = options.TimeProvider.GetUtcNow();
            var fence = host.Fence;
            if (await store.Store.FindNextExpiryAsync(CancellationToken.None).ConfigureAwait(false) is not { } next || next > now)
            {
                return;
            }

            var result = await store.CommitAsync("expire_messages", new ExpireMessages(AtOnce, options.MaxFailedMessages), fence).ConfigureAwait(false);
            if (result.Answer is not MessagesExpired expired)
            {
                return;
            }

            metrics.MessagesFailed("expired", expired.Count);
            if (expired.Count > 0)
            {
                Log.MessagesExpired(logger, expired.Count);
            }

            NoteDropped(expired.Dropped);
            hasMore = expired.HasMore;
        }
        while (hasMore);
    }

    internal void NoteDropped(int dropped)
    {
        if (dropped > 0)
        {
            Log.FailedMessagesDropped(logger, dropped, options.MaxFailedMessages);
        }
    }
}
