namespace Coppice;

/// <summary>A host's identity and epoch. Every batch carries it; once it was given up, nothing that carries it is stored.</summary>
/// <param name="HostId">The host: one manager in one process. Fit to be shown.</param>
/// <param name="Epoch">The number that the store gave it when it joined; unique in a store, and growing.</param>
public readonly record struct HostFence(string HostId, long Epoch)
{
    /// <summary>Gets the fence of a host that has not joined yet; it may only join.</summary>
    public static HostFence None { get; } = new("", 0);
}
