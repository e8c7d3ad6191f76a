using System.Globalization;
using System.Runtime;
using System.Runtime.InteropServices;
using System.Text;

namespace Coppice.Benchmarks;

/// <summary>A table of results, with what it was measured on.</summary>
internal sealed class Report(string title, string how, params string[] columns)
{
    private readonly List<string[]> _rows = [];

    /// <summary>Gets whether every figure that has a goal reached it.</summary>
    internal bool IsGoalMet { get; private set; } = true;

    internal void Add(params string[] cells) => _rows.Add(cells);

    /// <summary>Writes down whether a goal was reached.</summary>
    internal string Goal(bool isMet)
    {
        IsGoalMet &= isMet;
        return isMet ? "yes" : "no";
    }

    internal string ToMarkdown()
    {
        var text = new StringBuilder($"# {title}\n\n{how}\n\n");
        text.Append($"Measured on {Environment.ProcessorCount} cores, {RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}, ");
        text.Append($"{(GCSettings.LatencyMode == GCLatencyMode.Batch ? "without" : "with")} background collection, ");
        text.Append("medians of alternating runs. Machines differ and are noisy: compare ratios.\n\n");
        text.Append($"| {string.Join(" | ", columns)} |\n|{string.Concat(columns.Select((_, i) => i == 0 ? "---|" : "---:|"))}\n");
        foreach (var row in _rows)
        {
            text.Append($"| {string.Join(" | ", row)} |\n");
        }

        return text.ToString();
    }

    internal void Save(string name)
    {
        var folder = Path.Combine(Root(), "bench", "results");
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, name + ".md"), ToMarkdown());
    }

    /// <summary>A folder on the repository's own disk, for files that have to reach a real one.</summary>
    internal static string Scratch()
    {
        var folder = Path.Combine(Root(), "artifacts", "bench-data", Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(folder);
        return folder;
    }

    internal static string Thousands(double value) => value.ToString("N0", CultureInfo.InvariantCulture);

    internal static string Ratio(double value) => value.ToString("0.00", CultureInfo.InvariantCulture);

    internal static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted.Count % 2 == 1 ? sorted[sorted.Count / 2] : (sorted[(sorted.Count / 2) - 1] + sorted[sorted.Count / 2]) / 2;
    }

    private static string Root()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Coppice.slnx")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"There is no Coppice.slnx above {AppContext.BaseDirectory}.");
    }
}
