namespace Coppice;

/// <summary>The locks on the partitions that a batch touches, taken in their order so that two batches cannot wait for each other.</summary>
internal readonly ref struct PartitionLocks
{
    private readonly ThreadPartition? _first;
    private readonly ThreadPartition? _second;
    private readonly ThreadPartition[]? _more;

    internal PartitionLocks(ThreadPartition? one, ThreadPartition? other)
    {
        (_first, _second) = one is not null && other is not null && other.Order < one.Order ? (other, one) : (one, other);
        Enter(_first);
        Enter(_second);
    }

    internal PartitionLocks(IEnumerable<ThreadPartition> partitions)
    {
        _more = [.. partitions.Distinct().OrderBy(partition => partition.Order)];
        foreach (var partition in _more)
        {
            Enter(partition);
        }
    }

    public void Dispose()
    {
        Exit(_second);
        Exit(_first);
        foreach (var partition in _more ?? [])
        {
            Exit(partition);
        }
    }

    private static void Enter(ThreadPartition? partition)
    {
        if (partition is not null)
        {
            Monitor.Enter(partition);
        }
    }

    private static void Exit(ThreadPartition? partition)
    {
        if (partition is not null)
        {
            Monitor.Exit(partition);
        }
    }
}
