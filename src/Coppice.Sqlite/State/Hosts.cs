namespace Coppice.Sqlite;

/// <summary>
/// The hosts of this process. Only in memory: an epoch that is not here is one of an earlier process, which is gone. Changed by the
/// writer alone.
/// </summary>
internal sealed class Hosts(UndoLog undo) : IHosts
{
    private readonly Lock _gate = new();
    private readonly Dictionary<long, Entry> _entries = [];

    public bool IsOpen(HostFence fence)
    {
        lock (_gate)
        {
            return _entries.TryGetValue(fence.Epoch, out var entry) && !entry.HasLeft && entry.Fence == fence;
        }
    }

    /// <summary>Whether an epoch belongs to a host that may still end its tasks itself.</summary>
    public bool IsOpen(long epoch)
    {
        lock (_gate)
        {
            return _entries.TryGetValue(epoch, out var entry) && !entry.HasLeft;
        }
    }

    public bool IsKnown(HostFence fence)
    {
        lock (_gate)
        {
            return _entries.TryGetValue(fence.Epoch, out var entry) && entry.Fence == fence;
        }
    }

    // A lock keeps other processes away, and what an earlier one left is not on this list.
    public IReadOnlyList<HostFence> Gone() => [];

    public IReadOnlyList<long> Left()
    {
        lock (_gate)
        {
            return [.. _entries.Where(entry => entry.Value.HasLeft).Select(entry => entry.Key)];
        }
    }

    public void Join(HostFence fence)
    {
        Set(fence.Epoch, new Entry(fence));
    }

    /// <summary>Closes a fence; the host stays listed, because it left live tasks.</summary>
    public void Leave(HostFence fence)
    {
        Set(fence.Epoch, new Entry(fence) { HasLeft = true });
    }

    public void Forget(long epoch)
    {
        Set(epoch, null);
    }

    /// <summary>Counts a sign of life and lists all hosts.</summary>
    public IReadOnlyList<HostStatus> Beat(HostFence fence)
    {
        lock (_gate)
        {
            if (_entries.TryGetValue(fence.Epoch, out var own) && own.Fence == fence && !own.HasLeft)
            {
                own.Beats++;
            }

            return [.. _entries.Values.OrderBy(entry => entry.Fence.Epoch).Select(entry => new HostStatus(entry.Fence, entry.Beats, entry.HasLeft))];
        }
    }

    private void Set(long epoch, Entry? entry)
    {
        var before = Put(epoch, entry);
        undo.Add(() => Put(epoch, before));
    }

    private Entry? Put(long epoch, Entry? entry)
    {
        lock (_gate)
        {
            _entries.Remove(epoch, out var before);
            if (entry is not null)
            {
                _entries.Add(epoch, entry);
            }

            return before;
        }
    }

    private sealed class Entry(HostFence fence)
    {
        public HostFence Fence { get; } = fence;

        public long Beats { get; set; }

        public bool HasLeft { get; init; }
    }
}
