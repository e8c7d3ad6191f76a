using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;

namespace Coppice;

/// <summary>What a task emitted and the store does not have yet, in order. Emitting never waits; one flush at a time is on its way.</summary>
[SuppressMessage("Design", "CA1001", Justification = "The timer goes when the queue is sealed or has been retried.")]
internal sealed class EventQueue(
    string taskId, long claim, HostFence fence, string ownerThreadId, StoreGateway store, BackgroundTaskOptions options, ILogger logger)
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private List<CustomTaskEvent> _waiting = [];
    private int _stored;
    private int _inFlight;
    private int _unread;
    private bool _knowsUnread;
    private bool _isFlushing;
    private bool _isSealed;
    private TimeSpan _retryAfter = FirstRetry;
    private ITimer? _retry;
    private TaskCompletionSource? _flushed;

    /// <summary>Takes an event in, unless too many wait or are unread, or the task has ended.</summary>
    internal bool TryAdd(CustomTaskEvent custom)
    {
        if (!HasRoom() && !RefreshUnread())
        {
            return false;
        }

        lock (_lock)
        {
            if (_isSealed || !HasRoom())
            {
                return false;
            }

            _waiting.Add(custom);
            if (_isFlushing || _retry is not null)
            {
                return true;
            }

            _isFlushing = true;
        }

        _ = FlushAsync();
        return true;
    }

    /// <summary>Takes nothing in any more. What is left when the flush on its way has landed or failed goes with the task's end.</summary>
    internal async ValueTask<(int First, IReadOnlyList<CustomTaskEvent> Events)> SealAsync()
    {
        Task flushed;
        lock (_lock)
        {
            _isSealed = true;
            _retry?.Dispose();
            flushed = _isFlushing ? (_flushed = options.Scheduler.CreateSource()).Task : Task.CompletedTask;
        }

        await flushed.ConfigureAwait(false);
        return (_stored, _waiting);
    }

    private bool HasRoom()
    {
        lock (_lock)
        {
            var unflushed = _waiting.Count + _inFlight;
            return unflushed < options.MaxUnflushedEvents && _knowsUnread && _unread + unflushed < options.MaxUnreadEvents;
        }
    }

    /// <summary>
    /// Asks the store how many events are unread, when it is not known or seems too many: somebody may have read. A store that cannot
    /// tell at once does not hold the emitter up; the answer counts for the next event.
    /// </summary>
    private bool RefreshUnread()
    {
        var count = store.CountUnreadEventsAsync(ownerThreadId);
        if (count.IsCompletedSuccessfully)
        {
            SetUnread(count.Result);
            return HasRoom();
        }

        bool isFirst;
        lock (_lock)
        {
            isFirst = !_knowsUnread;
            _knowsUnread = true;
        }

        _ = LearnAsync(count);
        return isFirst;
    }

    private async Task LearnAsync(ValueTask<int> count)
    {
        try
        {
            SetUnread(await count.ConfigureAwait(false));
        }
        catch (Exception e) when (e is TaskStoreException or ObjectDisposedException)
        {
            // What was known before stands; the flush meets the same trouble and reports it.
        }
    }

    private void SetUnread(int unread)
    {
        lock (_lock)
        {
            _knowsUnread = true;
            _unread = unread;
        }
    }

    private async Task FlushAsync()
    {
        while (TryTake(out var events))
        {
            try
            {
                var post = new PostEvents(taskId, _stored, events) { Claim = claim };
                var result = await store.CommitAsync("events", post, fence).ConfigureAwait(false);
                Settle(events, result);
            }
            catch (Exception e) when (e is TaskStoreException or ObjectDisposedException)
            {
                Log.EventsDelayed(logger, taskId, e);
                PutBack(events);
                return;
            }
        }
    }

    private bool TryTake(out List<CustomTaskEvent> events)
    {
        lock (_lock)
        {
            events = _waiting;
            if (_isSealed || events.Count == 0)
            {
                EndFlush();
                return false;
            }

            _waiting = [];
            _inFlight = events.Count;
            return true;
        }
    }

    private void Settle(List<CustomTaskEvent> events, CommitResult result)
    {
        lock (_lock)
        {
            _stored += events.Count;
            _inFlight = 0;
            _retryAfter = FirstRetry;
            if (result is { Status: CommitStatus.Landed, Answer: EventsPosted posted })
            {
                _unread = posted.UnreadEvents;
                _knowsUnread = true;
            }
            else
            {
                // The task has ended otherwise or its host was given up: nothing of it is taken any more.
                _isSealed = true;
            }
        }
    }

    private void PutBack(List<CustomTaskEvent> events)
    {
        lock (_lock)
        {
            events.AddRange(_waiting);
            _waiting = events;
            _inFlight = 0;
            if (!_isSealed)
            {
                _retry = options.TimeProvider.CreateTimer(
                    static queue => ((EventQueue)queue!).Retry(), this, _retryAfter, Timeout.InfiniteTimeSpan);
                _retryAfter = _retryAfter * 2 < LastRetry ? _retryAfter * 2 : LastRetry;
            }

            EndFlush();
        }
    }

    private void Retry()
    {
        lock (_lock)
        {
            _retry?.Dispose();
            _retry = null;
            if (_isSealed || _isFlushing)
            {
                return;
            }

            _isFlushing = true;
        }

        _ = FlushAsync();
    }

    private void EndFlush()
    {
        _isFlushing = false;
        if (_flushed is not null)
        {
            options.Scheduler.Complete(_flushed);
        }
    }
}
