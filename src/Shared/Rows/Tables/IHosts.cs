namespace Coppice.Rows;

/// <summary>
/// The hosts, by their epochs. Every batch asks first whether its own is open; until its transaction has ended, the host may not be settled
/// by another (a shared lock is enough for that; <see cref="Leave"/>, <see cref="Forget"/> and who asks <see cref="IsKnown"/> need one of
/// their own).
/// </summary>
internal interface IHosts
{
    /// <summary>Whether a host may write.</summary>
    bool IsOpen(HostFence fence);

    /// <summary>Whether an epoch belongs to a host that may still end its tasks itself.</summary>
    bool IsOpen(long epoch);

    /// <summary>Whether a host is listed, open or left.</summary>
    bool IsKnown(HostFence fence);

    /// <summary>
    /// The hosts that are listed as open although their process has surely ended. None where whoever opens the store finds only hosts of its own process.
    /// </summary>
    IReadOnlyList<HostFence> Gone();

    /// <summary>The epochs of the hosts that have left and are listed still.</summary>
    IReadOnlyList<long> Left();

    /// <summary>Lists a host, which may write from now on.</summary>
    void Join(HostFence fence);

    /// <summary>Closes a host; it stays listed, because it left live tasks.</summary>
    void Leave(HostFence fence);

    /// <summary>Takes a host off the list, if it is there.</summary>
    void Forget(long epoch);
}
