namespace Coppice.Workloads;

/// <summary>A host of the store that only hands batches in.</summary>
internal sealed class StoreWriter(ITaskStore store, HostFence host)
{
    private long _batch;

    internal static async Task<StoreWriter> JoinAsync(ITaskStore store)
    {
        var joined = await new StoreWriter(store, HostFence.None).CommitAsync([new JoinHost("benchmark")]);
        return new(store, ((HostJoined)joined[0]).Fence);
    }

    internal async Task<IReadOnlyList<MutationAnswer>> CommitAsync(IReadOnlyList<Mutation> mutations)
    {
        var batch = new MutationBatch(new(host.Epoch, ++_batch), host, TimeProvider.System.GetUtcNow(), mutations);
        var result = await store.CommitAsync(batch, CancellationToken.None);
        return result.Status == CommitStatus.Landed
            ? result.Answers
            : throw new InvalidOperationException($"The store refused a batch: {string.Join(", ", result.Answers.Take(1))}.");
    }
}
