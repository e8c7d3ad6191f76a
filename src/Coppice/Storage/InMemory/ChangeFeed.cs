namespace Coppice;

/// <summary>Who hears what is committed, and the revisions of the commits.</summary>
internal sealed class ChangeFeed
{
    private readonly Lock _order = new();
    private ITaskStoreListener[] _listeners = [];
    private long _revision;

    internal IDisposable Subscribe(ITaskStoreListener listener)
    {
        ArgumentNullException.ThrowIfNull(listener);
        lock (_order)
        {
            _listeners = [.. _listeners, listener];
        }

        return new Subscription(this, listener);
    }

    /// <summary>Takes the next revision. While somebody watches, changes are told in its order, so the turn is held until disposed.</summary>
    internal Turn TakeTurn()
    {
        var listeners = Volatile.Read(ref _listeners);
        foreach (var listener in listeners)
        {
            if (listener.WantsChanges)
            {
                _order.Enter();
                return new Turn(this, Interlocked.Increment(ref _revision), isWatched: true);
            }
        }

        return new Turn(this, Interlocked.Increment(ref _revision), isWatched: false);
    }

    private void Unsubscribe(ITaskStoreListener listener)
    {
        lock (_order)
        {
            _listeners = [.. _listeners.Where(each => !ReferenceEquals(each, listener))];
        }
    }

    internal readonly ref struct Turn(ChangeFeed feed, long revision, bool isWatched)
    {
        internal long Revision { get; } = revision;

        internal ReadOnlySpan<ITaskStoreListener> Listeners => Volatile.Read(ref feed._listeners);

        internal void TellChange(TaskChangeKind kind, TaskRecord task, CustomTaskEvent? custom = null)
        {
            if (!isWatched)
            {
                return;
            }

            var change = new TaskChange(Revision, kind, task.ToSnapshot(), custom);
            foreach (var listener in Listeners)
            {
                if (listener.WantsChanges)
                {
                    listener.OnChange(change);
                }
            }
        }

        public void Dispose()
        {
            if (isWatched)
            {
                feed._order.Exit();
            }
        }
    }

    private sealed class Subscription(ChangeFeed feed, ITaskStoreListener listener) : IDisposable
    {
        public void Dispose() => feed.Unsubscribe(listener);
    }
}
