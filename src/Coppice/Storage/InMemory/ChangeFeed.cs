namespace Coppice;

/// <summary>Who hears what is committed, and the revisions of the commits.</summary>
internal sealed class ChangeFeed
{
    private readonly Lock _order = new();
    private readonly Lock _telling = new();
    private ITaskStoreListener[] _listeners = [];
    private long _revision;
    private long _lastTold;

    private bool IsWatched
    {
        get
        {
            foreach (var listener in Volatile.Read(ref _listeners))
            {
                if (listener.WantsChanges)
                {
                    return true;
                }
            }

            return false;
        }
    }

    internal IDisposable Subscribe(ITaskStoreListener listener)
    {
        ArgumentNullException.ThrowIfNull(listener);
        lock (_order)
        {
            _listeners = [.. _listeners, listener];
        }

        // From here on a commit that the caller cannot read yet finds the listener; see ITaskStoreListener.WantsChanges.
        Interlocked.MemoryBarrierProcessWide();
        return new Subscription(this, listener);
    }

    /// <summary>Takes the next revision. While somebody watches, changes are told in its order, so the turn is held until disposed.</summary>
    internal Turn TakeTurn()
    {
        var isWatched = IsWatched;
        if (isWatched)
        {
            _order.Enter();
        }

        return new Turn(this, Interlocked.Increment(ref _revision), isWatched);
    }

    /// <summary>
    /// Tells a change. A commit that began while nobody watched tells too, out of its turn, once somebody does: who began to watch before the
    /// change could be seen relies on hearing of it. Later commits may have been told by then, so it goes by the revision of the last of them.
    /// </summary>
    private void Tell(TaskChange change)
    {
        lock (_telling)
        {
            _lastTold = Math.Max(_lastTold, change.Revision);
            if (change.Revision != _lastTold)
            {
                change = change with { Revision = _lastTold };
            }

            foreach (var listener in _listeners)
            {
                if (listener.WantsChanges)
                {
                    listener.OnChange(change);
                }
            }
        }
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

        /// <summary>Tells a change that can be seen by now.</summary>
        internal void TellChange(TaskChangeKind kind, TaskRecord task, CustomTaskEvent? custom = null)
        {
            if (isWatched || feed.IsWatched)
            {
                feed.Tell(new TaskChange(Revision, kind, task.ToSnapshot(), custom));
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
