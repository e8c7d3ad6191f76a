using System.Collections.Concurrent;

namespace Coppice.PostgreSql;

/// <summary>The hosts of this process that have joined and are, as far as it knows, open.</summary>
internal sealed class OwnHosts
{
    private readonly ConcurrentDictionary<long, HostFence> _fences = new();

    public bool Any => !_fences.IsEmpty;

    public long[] Epochs => [.. _fences.Keys];

    public bool Has(long epoch) => _fences.ContainsKey(epoch);

    public void Joined(HostFence fence) => _fences[fence.Epoch] = fence;

    /// <summary>Takes in that a host is not open any more.</summary>
    /// <returns>The host, if it was one of this process.</returns>
    public HostFence? Left(long epoch) => _fences.TryRemove(epoch, out var fence) ? fence : null;
}
