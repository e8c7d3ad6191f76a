using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Coppice;

/// <summary>The inboxes that are open here, and who is told of mail that nobody reads.</summary>
internal sealed class Mailroom(
    StoreGateway store, PatientStore patientStore, HostSession host, UnreadMailNotifier notifier, TaskRules rules, BackgroundTaskOptions options, ILogger logger)
{
    private readonly ConcurrentDictionary<string, Inbox> _open = new(StringComparer.Ordinal);
    private readonly WorkScheduler _scheduler = options.Scheduler;
    private volatile bool _isDisposed;

    internal TaskRules Rules => rules;

    /// <summary>Makes an inbox for a reader that the store is about to let in.</summary>
    internal Inbox Prepare(string threadId, Guid reader) => new(this, threadId, reader, _scheduler);

    /// <summary>The store has let the reader in.</summary>
    internal void Open(Inbox inbox)
    {
        Inbox? previous = null;
        _open.AddOrUpdate(inbox.ThreadId, inbox, (_, current) =>
        {
            previous = current;
            return inbox;
        });
        previous?.TakeOver();
    }

    internal async ValueTask<Inbox> OpenAsync(string threadId, CancellationToken cancellationToken)
    {
        var inbox = Prepare(threadId, _scheduler.NewGuid());
        try
        {
            var result = await host.CommitAsync(
                "open_inbox", new OpenMailbox(threadId, inbox.Reader), inbox, cancellationToken).ConfigureAwait(false);
            inbox.StartAfter(((MailboxOpened)result.Answer!).AcknowledgedThrough);
            return inbox;
        }
        catch (Exception) when (!inbox.TryAbandon())
        {
            // It landed while its failure was on the way. Nobody gets to read with it.
            CloseSoon(inbox);
            throw;
        }
    }

    /// <summary>Closes a mailbox that was opened for nobody. It is told of from inside the commit, so not at once.</summary>
    internal void CloseSoon(Inbox inbox) => _scheduler.Queue(new Closing(this, inbox));

    internal ValueTask<MailPage> ReadAsync(Inbox inbox, long after, int limit, CancellationToken cancellationToken) =>
        store.Store.ReadMailAsync(inbox.ThreadId, inbox.Reader, after, limit, cancellationToken);

    /// <summary>
    /// Leaves out the messages that have expired. In the store they become failed messages with the next heartbeat, or when somebody
    /// acknowledges what comes after them.
    /// </summary>
    internal IReadOnlyList<InboxItem> WithoutExpired(IReadOnlyList<InboxItem> items)
    {
        for (var i = 0; i < items.Count; i++)
        {
            if (items[i].Event is ThreadMessage { ExpiresAt: not null })
            {
                var now = options.TimeProvider.GetUtcNow();
                return [.. items.Where(item => item.Event is not ThreadMessage message || !message.IsExpired(now))];
            }
        }

        return items;
    }

    internal async ValueTask<bool> AcknowledgeAsync(Inbox inbox, long through, CancellationToken cancellationToken)
    {
        var result = await host.CommitAsync(
            "acknowledge", new AcknowledgeMail(inbox.ThreadId, inbox.Reader, through), null, cancellationToken).ConfigureAwait(false);
        return result.Answer is MailAcknowledged;
    }

    internal async ValueTask<MutationAnswer?> AppendAsync(
        Inbox inbox, int firstEntry, IReadOnlyList<JsonElement> entries, long acknowledgeThrough, CancellationToken cancellationToken)
    {
        var append = new AppendConversation(inbox.ThreadId, inbox.Reader, firstEntry, entries) { AcknowledgeThrough = acknowledgeThrough };
        return (await host.CommitAsync("append", append, null, cancellationToken).ConfigureAwait(false)).Answer;
    }

    internal async ValueTask CloseAsync(Inbox inbox)
    {
        _open.TryRemove(new KeyValuePair<string, Inbox>(inbox.ThreadId, inbox));
        var close = new CloseMailbox(inbox.ThreadId, inbox.Reader);
        try
        {
            await host.CommitAsync("close_inbox", close, null, CancellationToken.None).ConfigureAwait(false);
        }
        catch (TaskStoreException e)
        {
            Log.InboxCloseDelayed(logger, inbox.ThreadId, e);
            _ = CloseLaterAsync(close);
        }
        catch (ObjectDisposedException)
        {
            // The manager has left the store, which closed the mailbox.
        }
    }

    /// <summary>An agent takes no more messages. What is there it still reads.</summary>
    internal void CloseToMessages(LiveTask agent) => _ = CloseToMessagesAsync(agent);

    internal void OnMail(string threadId, bool wakes, bool hasReader)
    {
        if (_open.TryGetValue(threadId, out var inbox))
        {
            inbox.Arrived();
        }

        if (wakes && !hasReader)
        {
            notifier.Notify(threadId);
        }
    }

    /// <summary>A mailbox was opened. Which reader lost it decides: the one that is here may be newer than the one that is told of.</summary>
    internal void OnOpened(string threadId, Guid? takenFrom)
    {
        if (_open.TryGetValue(threadId, out var inbox) && inbox.Reader == takenFrom
            && _open.TryRemove(new KeyValuePair<string, Inbox>(threadId, inbox)))
        {
            inbox.TakeOver();
        }
    }

    internal void OnLeftUnread(string threadId) => notifier.Notify(threadId);

    /// <summary>An agent has ended, and the store has closed its mailbox.</summary>
    internal void EndAgent(Inbox inbox)
    {
        _open.TryRemove(new KeyValuePair<string, Inbox>(inbox.ThreadId, inbox));
        inbox.End();
    }

    /// <summary>Ends every read.</summary>
    internal void Dispose()
    {
        _isDisposed = true;
        foreach (var inbox in _open.Values)
        {
            inbox.End();
        }
    }

    internal void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(_isDisposed, typeof(BackgroundTaskManager));

    private async Task CloseToMessagesAsync(LiveTask agent)
    {
        try
        {
            var close = new CloseAgentInbox(agent.TaskId) { Claim = agent.Claim };
            await patientStore.CommitAsync("close_inbox", close, agent.Fence, agent.TaskId).ConfigureAwait(false);
        }
        catch (Exception e) when (e is ObjectDisposedException or OperationCanceledException)
        {
            // The manager is gone, and with it whoever would read the inbox.
        }
        catch (Exception e)
        {
            Log.RunFailed(logger, agent.TaskId, e);
        }
    }

    private async Task CloseLaterAsync(CloseMailbox close)
    {
        try
        {
            await patientStore.CommitAsync("close_inbox", close, host.Fence, taskId: null).ConfigureAwait(false);
        }
        catch (Exception e) when (e is ObjectDisposedException or OperationCanceledException)
        {
            // The manager has left the store, which closed the mailbox.
        }
    }

    private sealed class Closing(Mailroom mailroom, Inbox inbox) : IThreadPoolWorkItem
    {
        public void Execute() => _ = mailroom.CloseAsync(inbox).AsTask();
    }
}
