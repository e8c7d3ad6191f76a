using System.Globalization;

namespace Coppice.Testing;

/// <summary>What a simulation went through without finding anything.</summary>
public sealed record SimulationReport
{
    /// <summary>Gets how many histories were run.</summary>
    public int Histories { get; init; }

    /// <summary>Gets how many steps they took together.</summary>
    public long Steps { get; init; }

    /// <summary>Gets how many batches reached a store.</summary>
    public long Commits { get; init; }

    /// <summary>Gets how many hosts started.</summary>
    public long Hosts { get; init; }

    /// <summary>Gets how many of them crashed.</summary>
    public long Crashes { get; init; }

    /// <summary>Gets how much simulated time passed.</summary>
    public TimeSpan Time { get; init; }

    /// <summary>Gets how often each fault was met.</summary>
    public IReadOnlyDictionary<string, long> Faults { get; init; } = new Dictionary<string, long>();

    /// <summary>Gets the history, where only one was run.</summary>
    public IReadOnlyList<string> History { get; init; } = [];

    /// <summary>All of it in one line.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Histories} histories, {Steps} steps, {Commits} commits, {Hosts} hosts, {Crashes} crashes, {Time.TotalHours:0} simulated hours; faults: ")
        + (Faults.Count == 0 ? "none" : string.Join(", ", Faults.Select(static fault => $"{fault.Key} {fault.Value}")));

    internal SimulationReport With(SimulationReport other) => new()
    {
        Histories = Histories + other.Histories,
        Steps = Steps + other.Steps,
        Commits = Commits + other.Commits,
        Hosts = Hosts + other.Hosts,
        Crashes = Crashes + other.Crashes,
        Time = Time + other.Time,
        Faults = Sum(Faults, other.Faults),
    };

    private static SortedDictionary<string, long> Sum(IReadOnlyDictionary<string, long> left, IReadOnlyDictionary<string, long> right)
    {
        var sum = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (var (kind, count) in left.Concat(right))
        {
            sum[kind] = sum.GetValueOrDefault(kind) + count;
        }

        return sum;
    }
}
