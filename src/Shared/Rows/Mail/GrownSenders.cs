namespace Coppice.Rows;

/// <summary>
/// The threads to whose failed messages some came since they were last looked at for being too many; one of these for a store, for all that
/// write. Only in memory: what is forgotten is looked at when the next one comes. A thread may be in here for nothing.
/// </summary>
internal sealed class GrownSenders
{
    private readonly Lock _gate = new();
    private readonly HashSet<long> _senders = [];

    /// <summary>Gets whether there are any, and so something to trim at once.</summary>
    public bool Any
    {
        get
        {
            lock (_gate)
            {
                return _senders.Count > 0;
            }
        }
    }

    public void Add(IReadOnlyCollection<long> senders)
    {
        lock (_gate)
        {
            _senders.UnionWith(senders);
        }
    }

    public void Remove(IReadOnlyCollection<long> senders)
    {
        lock (_gate)
        {
            _senders.ExceptWith(senders);
        }
    }

    public List<long> ToList()
    {
        lock (_gate)
        {
            return [.. _senders];
        }
    }
}
