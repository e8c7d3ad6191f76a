namespace Coppice.Rows;

/// <summary>What decides whose turn it is: the least goes first. A lane of a high priority has a low rank.</summary>
internal readonly record struct LaneKey(long Rank, long Turn) : IComparable<LaneKey>
{
    public static bool operator <(in LaneKey left, in LaneKey right) => left.CompareTo(right) < 0;

    public static bool operator >(in LaneKey left, in LaneKey right) => left.CompareTo(right) > 0;

    public int CompareTo(LaneKey other) => Rank != other.Rank ? Rank.CompareTo(other.Rank) : Turn.CompareTo(other.Turn);
}
