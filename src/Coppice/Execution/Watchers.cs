using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace Coppice;

/// <summary>Who watches the change feed, each with a bounded backlog of its own.</summary>
internal sealed class Watchers(int maxBacklog)
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

    /// <summary>Ends every watch: the manager is disposed.</summary>
    internal void End()
    {
        lock (_lock)
        {
            _hasEnded = true;
        }

        foreach (var watcher in _watchers)
        {
            watcher.End();
        }
    }

    internal async IAsyncEnumerable<TaskChange> WatchAsync(TaskQuery? query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var watcher = new Watcher(query, maxBacklog);
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_hasEnded, typeof(BackgroundTaskManager));
            _watchers = [.. _watchers, watcher];
        }

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

    private sealed class Watcher(TaskQuery? query, int maxBacklog)
    {
        private readonly Channel<TaskChange> _changes = Channel.CreateUnbounded<TaskChange>(new() { SingleReader = true });
        private int _backlog;

        internal void Offer(TaskChange change)
        {
            if (query is not null && !query.Matches(change.Task))
            {
                return;
            }

            if (Interlocked.Increment(ref _backlog) > maxBacklog)
            {
                _changes.Writer.TryComplete(new WatchOverrunException(maxBacklog));
                return;
            }

            _changes.Writer.TryWrite(change);
        }

        internal void End() => _changes.Writer.TryComplete(new ObjectDisposedException(nameof(BackgroundTaskManager)));

        internal async IAsyncEnumerable<TaskChange> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await foreach (var change in _changes.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                Interlocked.Decrement(ref _backlog);
                yield return change;
            }
        }
    }
}
