namespace Coppice.Rows;

/// <summary>A lane as the transaction has it: the ready and the running tasks of one kind in one thread.</summary>
internal sealed class LaneHead(long number, bool isStored) : Head(number)
{
    /// <summary>Gets or sets how many of its tasks are running, where the store keeps that. The rules ask <see cref="ILaneRows.HasRoom"/>.</summary>
    public int Running { get; set; }

    public int Ready { get; set; }

    /// <summary>Gets or sets the highest priority among the ready tasks.</summary>
    public int Priority { get; set; }

    /// <summary>Gets or sets the lowest version among the ready tasks.</summary>
    public int Version { get; set; }

    /// <summary>Gets or sets what lanes of one priority are ordered by, the lowest first.</summary>
    public long Turn { get; set; }

    /// <summary>
    /// Gets or sets the ready tasks of each version, in the order of versions; <see langword="null"/> where nothing is known of them.
    /// </summary>
    public List<ReadyQueue>? Queues { get; set; }

    public bool IsEmpty => Running == 0 && Ready == 0;

    /// <summary>Gets or sets whether the table has the lane, in whatever state.</summary>
    public bool IsStored { get; set; } = isStored;
}
