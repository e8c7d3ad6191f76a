namespace Coppice;

/// <summary>A host of a store, as its heartbeat shows it.</summary>
/// <param name="Fence">Its identity and epoch.</param>
/// <param name="Beats">How often it has shown that it lives. Other hosts judge it by whether this grows, each by its own clock.</param>
/// <param name="HasLeft">Whether it has left, and only its live tasks are still there to be settled.</param>
public readonly record struct HostStatus(HostFence Fence, long Beats, bool HasLeft);
