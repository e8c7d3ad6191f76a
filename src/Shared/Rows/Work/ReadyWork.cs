namespace Coppice.Rows;

/// <summary>A ready task and what it is ordered by in its lane.</summary>
internal readonly record struct ReadyWork(long Number, int Version, int Priority, long Rank)
{
    public bool GoesBefore(in ReadyWork other) => Priority != other.Priority ? Priority > other.Priority : Rank < other.Rank;
}
