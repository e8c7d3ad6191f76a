using System.Text;

namespace Coppice.Workloads;

/// <summary>The table as Markdown.</summary>
internal static class TableText
{
    internal static string Render(IReadOnlyList<(Row Row, RowResult Result)> measured, Notes reasons)
    {
        if (measured.Count == 0)
        {
            return "Nothing was measured yet.\n";
        }

        var text = new StringBuilder();
        text.Append("| workload | Coppice | floor | ratio | goal | met | why not |\n|---|---:|---:|---:|---|---|---|\n");
        foreach (var (row, result) in measured)
        {
            foreach (var line in row.Lines.Select(line => TableLine.Of(row, line, result)))
            {
                text.Append(line.ToMarkdown(line.IsMet == false ? reasons.Find(line.Line.Name) ?? "not explained yet" : "")).Append('\n');
            }
        }

        text.Append($"\nFigures are medians of {Runs(measured)} runs, each in a process of its own, ours and the floor in turns; ratios are ours to the floor, the median ");
        text.Append("of the pairs with the lowest and the highest. Machines differ and are noisy: compare ratios.");
        text.Append(measured.Any(each => each.Row.IsExact) ? $" Exact counts, one run each: {ExactRows(measured)}.\n\n" : "\n\n");
        foreach (var (where, machine) in Origins(measured))
        {
            text.Append($"{where}: {machine}.\n");
        }

        return text.ToString();
    }

    private static string Runs(IReadOnlyList<(Row Row, RowResult Result)> measured)
    {
        var counts = measured.Where(each => !each.Row.IsExact).Select(each => each.Result.Ours.Count).DefaultIfEmpty(1).ToList();
        return counts.Min() == counts.Max() ? $"{counts[0]}" : $"{counts.Min()} to {counts.Max()}";
    }

    private static string ExactRows(IReadOnlyList<(Row Row, RowResult Result)> measured) =>
        string.Join(", ", measured.Where(each => each.Row.IsExact).Select(each => each.Row.Name));

    /// <summary>Says for which rows each commit, day and machine stands; the rows are named only where these differ.</summary>
    private static IEnumerable<(string Where, string Machine)> Origins(IReadOnlyList<(Row Row, RowResult Result)> measured)
    {
        var origins = measured.GroupBy(each => $"easured on {each.Result.Date} at commit {each.Result.Commit}").ToList();
        return origins.Select(origin => (
            origins.Count == 1 ? "M" + origin.Key : $"{string.Join(", ", origin.Select(each => each.Row.Name))}: m{origin.Key}",
            origin.Last().Result.Machine.ToText()));
    }
}
