namespace Coppice.Testing;

/// <summary>What a host has not heard yet of what was committed, in order.</summary>
internal sealed class HostFeed(SimulationLoop loop, SimulatedProcess process)
{
    private readonly List<(ITaskStoreListener Listener, Action<ITaskStoreListener> News)> _waiting = [];
    private readonly List<ITaskStoreListener> _listeners = [];
    private bool _isPosted;
    private bool _isDelivering;

    internal SimulatedProcess Process => process;

    internal bool HasNews => _waiting.Count > 0;

    internal IDisposable Subscribe(ITaskStoreListener listener)
    {
        _listeners.Add(listener);
        return new Subscription(this, listener);
    }

    internal void Add(Action<ITaskStoreListener> news, bool isChange = false)
    {
        foreach (var listener in _listeners)
        {
            if (!isChange || listener.WantsChanges)
            {
                _waiting.Add((listener, news));
            }
        }
    }

    /// <summary>Tells it soon, in a step of the host's own.</summary>
    internal void Post()
    {
        if (!_isPosted && HasNews)
        {
            _isPosted = loop.Post(process, "news", () =>
            {
                _isPosted = false;
                Deliver();
            }) is not null;
        }
    }

    /// <summary>Tells all of it now, in order.</summary>
    internal void Deliver()
    {
        if (_isDelivering || process.IsDead)
        {
            return;
        }

        _isDelivering = true;
        while (_waiting.Count > 0)
        {
            var (listener, news) = _waiting[0];
            _waiting.RemoveAt(0);
            if (_listeners.Contains(listener))
            {
                news(listener);
            }
        }

        _isDelivering = false;
    }

    private sealed class Subscription(HostFeed feed, ITaskStoreListener listener) : IDisposable
    {
        public void Dispose() => feed._listeners.Remove(listener);
    }
}
