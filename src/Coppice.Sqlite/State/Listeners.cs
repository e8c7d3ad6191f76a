using System.Collections.Immutable;

namespace Coppice.Sqlite;

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

    public IDisposable Add(ITaskStoreListener listener)
    {
        ArgumentNullException.ThrowIfNull(listener);
        ImmutableInterlocked.Update(ref _all, static (all, added) => all.Add(added), listener);
        return new Subscription(this, listener);
    }

    public void Tell(IReadOnlyList<Notice> notices)
    {
        foreach (var notice in notices)
        {
            foreach (var listener in _all)
            {
                Guarded(() => notice.Tell(listener));
            }
        }
    }

    /// <summary>Calls code that promises not to throw. If it breaks its promise, the store's writer must not stop for everybody else.</summary>
    public static void Guarded(Action call)
    {
        try
        {
            call();
        }
#pragma warning disable CA1031 // whatever it throws, the commit has landed and the next one has to go on
        catch (Exception e)
#pragma warning restore CA1031
        {
            System.Diagnostics.Debug.Fail("A listener of the store threw.", e.ToString());
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
