using System.Collections.Concurrent;

namespace Coppice;

/// <summary>The hosts of an in-memory store: who may write, and how often each has shown that it lives.</summary>
internal sealed class HostTable
{
    private readonly ConcurrentDictionary<long, Entry> _hosts = new();
    private long _epochs;

    internal HostFence Join(string hostId)
    {
        var fence = new HostFence(hostId, Interlocked.Increment(ref _epochs));
        _hosts[fence.Epoch] = new Entry(fence);
        return fence;
    }

    /// <summary>Whether what this host hands in is still stored.</summary>
    internal bool IsOpen(HostFence fence) => _hosts.TryGetValue(fence.Epoch, out var host) && !host.IsClosed && host.Fence == fence;

    /// <summary>Closes a host's fence. From here on it can store nothing.</summary>
    internal void Close(HostFence fence)
    {
        if (_hosts.TryGetValue(fence.Epoch, out var host))
        {
            host.IsClosed = true;
        }
    }

    /// <summary>Forgets a host, to settle what it left. Only one caller gets to.</summary>
    internal bool TryTake(HostFence fence) => _hosts.TryGetValue(fence.Epoch, out var host) && host.Fence == fence && _hosts.TryRemove(fence.Epoch, out _);

    /// <summary>Forgets the hosts that have left, to settle what they left behind in the order in which they joined.</summary>
    internal List<HostFence> TakeLeft()
    {
        var left = new List<HostFence>();
        foreach (var host in _hosts.Values.OrderBy(static host => host.Fence.Epoch))
        {
            if (host.IsClosed && _hosts.TryRemove(host.Fence.Epoch, out _))
            {
                left.Add(host.Fence);
            }
        }

        return left;
    }

    internal IReadOnlyList<HostStatus> Beat(HostFence fence)
    {
        if (_hosts.TryGetValue(fence.Epoch, out var host) && host.Fence == fence && !host.IsClosed)
        {
            Interlocked.Increment(ref host.Beats);
        }

        return [.. _hosts.Values.Select(each => new HostStatus(each.Fence, Interlocked.Read(ref each.Beats), each.IsClosed))];
    }

    private sealed class Entry(HostFence fence)
    {
        internal long Beats;
        internal volatile bool IsClosed;

        internal HostFence Fence { get; } = fence;
    }
}
