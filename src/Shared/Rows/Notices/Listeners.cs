using System.Collections.Immutable;

namespace Coppice.Rows;

/// <summary>Who hears what is committed.</summary>
internal sealed class Listeners
{
    private ImmutableArray<ITaskStoreListener> _all = [];

    public bool WantChanges
    {
        get
        {
            foreach (var listener in _all)
            {
                if (listener.WantsChanges)
                {
                    return true;
                }
            }

            return false;
        }
    }

    public bool HandleUnreadMail
    {
        get
        {
            foreach (var listener in _all)
            {
                if (listener.HandlesUnreadMail)
                {
                    return true;
                }
            }

            return false;
        }
    }

    public IDisposable Add(ITaskStoreListener listener)
    {
        ArgumentNullException.ThrowIfNull(listener);
        ImmutableInterlocked.Update(ref _all, static (all, added) => all.Add(added), listener);

        // From here on a commit that the caller cannot read yet finds the listener; see ITaskStoreListener.WantsChanges.
        Interlocked.MemoryBarrierProcessWide();
        return new Subscription(this, listener);
    }

    public void Tell(Notice notice)
    {
        foreach (var listener in _all)
        {
            Guarded.Call(static (told, hears) => told.Tell(hears), notice, listener);
        }
    }

    public void Tell(TaskChange change)
    {
        foreach (var listener in _all)
        {
            if (listener.WantsChanges)
            {
                Guarded.Call(static (told, hears) => hears.OnChange(told), change, listener);
            }
        }
    }

    private void Remove(ITaskStoreListener listener) =>
        ImmutableInterlocked.Update(ref _all, static (all, removed) => all.Remove(removed), listener);

    private sealed class Subscription(Listeners owner, ITaskStoreListener listener) : IDisposable
    {
        private int _disposed;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _disposed, 1) == 0)
            {
                owner.Remove(listener);
            }
        }
    }
}
