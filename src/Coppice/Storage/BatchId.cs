namespace Coppice;

/// <summary>What a batch is looked up by when its answer was lost. Unique in a store.</summary>
/// <param name="Epoch">The epoch of the host that handed it in.</param>
/// <param name="Number">That host's count of batches; a number drawn by chance while it has no epoch, which is when it joins.</param>
public readonly record struct BatchId(long Epoch, long Number);
