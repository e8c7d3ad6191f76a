using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace Coppice;

/// <summary>Who watches the change feed, each with a bounded backlog of its own.</summary>
internal sealed class Watchers(int maxBacklog, WorkScheduler scheduler)
{
    private readonly Lock _lock = new();
    private Watcher[] _watchers = [];
    private bool _hasEnded;

    internal bool Any => Volatile.Read(ref _watchers).Length > 0;

    internal void Offer(TaskChange change)
    {
        foreach (var watcher in Volatile.Read(ref _watchers))
        {
            watcher.Offer(change);
        }
    }

    /// <summary>Ends every watch that is there, because changes were missed: each is to begin anew with what is stored.</summary>
    internal void Miss()
    {
        foreach (var watcher in Volatile.Read(ref _watchers))
        {
            watcher.End(new WatchOverrunException());
        }
    }

    /// <summary>Ends every watch: the manager is disposed.</summary>
    internal void End()
    {
        lock (_lock)
        {
            _hasEnded = true;
        }

        foreach (var watcher in _watchers)
        {
            watcher.End(new ObjectDisposedException(nameof(BackgroundTaskManager)));
        }
    }

    internal async IAsyncEnumerable<TaskChange> WatchAsync(TaskQuery? query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var watcher = new Watcher(query, maxBacklog, new Pulse(scheduler));
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_hasEnded, typeof(BackgroundTaskManager));
            _watchers = [.. _watchers, watcher];
        }

        // Whoever watches and then reads is told what the read does not see. Commits are many and watches few, so the fence is on this side.
        Interlocked.MemoryBarrierProcessWide();

        try
        {
            await foreach (var change in watcher.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                yield return change;
            }
        }
        finally
        {
            lock (_lock)
            {
                _watchers = [.. _watchers.Where(each => each != watcher)];
            }
        }
    }

    private sealed class Watcher(TaskQuery? query, int maxBacklog, Pulse news)
    {
        private readonly ConcurrentQueue<TaskChange> _changes = new();
        private int _backlog;
        private Exception? _end;

        internal void Offer(TaskChange change)
        {
            if (Volatile.Read(ref _end) is not null || (query is not null && !query.Matches(change.Task)))
            {
                return;
            }

            if (Interlocked.Increment(ref _backlog) > maxBacklog)
            {
                End(new WatchOverrunException(maxBacklog));
                return;
            }

            _changes.Enqueue(change);
            news.Raise();
        }

        /// <summary>Ends the watch, once what is in the backlog has been read.</summary>
        internal void End(Exception reason)
        {
            Interlocked.CompareExchange(ref _end, reason, null);
            news.Raise();
        }

        internal async IAsyncEnumerable<TaskChange> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken)
        {
            while (true)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var next = news.Next();
                var end = Volatile.Read(ref _end);
                if (_changes.TryDequeue(out var change))
                {
                    Interlocked.Decrement(ref _backlog);
                    yield return change;
                }
                else if (end is not null)
                {
                    ExceptionDispatchInfo.Throw(end);
                }
                else
                {
                    await next.WaitAsync(cancellationToken).ConfigureAwait(false);
                }
            }
        }
    }
}
