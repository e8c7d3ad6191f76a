namespace Coppice.Sqlite;

/// <summary>A lane as the writer's transaction has it: the ready and the running tasks of one kind in one thread.</summary>
internal sealed class LaneHead(long number, bool isStored) : Head(number)
{
    public int Running { get; set; }

    public int Ready { get; set; }

    /// <summary>Gets or sets the highest priority among the ready tasks.</summary>
    public int Priority { get; set; }

    /// <summary>Gets or sets the lowest version among the ready tasks.</summary>
    public int Version { get; set; }

    public long Turn { get; set; }

    /// <summary>Gets or sets the ready tasks of each version, in the order of versions; <see langword="null"/> where nothing is known of them.</summary>
    public List<ReadyQueue>? Queues { get; set; }

    public bool IsEmpty => Running == 0 && Ready == 0;

    /// <summary>Gets or sets whether the table has the lane, in whatever state.</summary>
    public bool IsStored { get; set; } = isStored;
}
