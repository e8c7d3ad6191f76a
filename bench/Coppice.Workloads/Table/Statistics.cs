namespace Coppice.Workloads;

/// <summary>Medians, which one bad run does not move.</summary>
internal static class Statistics
{
    /// <summary>The middle of the values, or the mean of the two in the middle.</summary>
    internal static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted.Count % 2 == 1 ? sorted[sorted.Count / 2] : (sorted[(sorted.Count / 2) - 1] + sorted[sorted.Count / 2]) / 2;
    }
}
