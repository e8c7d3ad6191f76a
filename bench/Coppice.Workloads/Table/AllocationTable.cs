using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Coppice.Workloads;

/// <summary>What a task allocates, line by line.</summary>
internal static partial class AllocationTable
{
    // Below this it is the listener, or noise.
    private const double LeastBytes = 2;

    internal static string Render(RowResult result, Notes explanations)
    {
        var total = Statistics.Median(result.Ours.Select(figures => figures["bytes"]));
        var lines = result.Ours
            .SelectMany(figures => figures)
            .Where(figure => figure.Key.StartsWith(AllocationWorkload.ObjectPrefix, StringComparison.Ordinal))
            .Select(figure => (Parts: figure.Key.Split('|'), Count: figure.Value / result.Ours.Count))
            .GroupBy(figure => Readable(figure.Parts[1]))
            .Select(type => (
                Type: type.Key,
                Sizes: type.GroupBy(figure => long.Parse(figure.Parts[2], CultureInfo.InvariantCulture))
                    .Select(size => (Bytes: size.Key, Count: size.Sum(figure => figure.Count))).ToList()))
            .Select(type => (type.Type, type.Sizes, Bytes: type.Sizes.Sum(size => size.Bytes * size.Count)))
            .Where(type => type.Bytes >= LeastBytes)
            .OrderByDescending(type => type.Bytes)
            .ToList();

        var text = new StringBuilder("| object | size | a task | bytes a task | what it is |\n|---|---:|---:|---:|---|\n");
        foreach (var (type, sizes, bytes) in lines)
        {
            var usual = sizes.MaxBy(size => size.Bytes * size.Count);
            var isOneSize = usual.Bytes * usual.Count > 0.9 * bytes;
            text.Append(
                CultureInfo.InvariantCulture,
                $"| `{type}` | {(isOneSize ? usual.Bytes.ToString("#,0", CultureInfo.InvariantCulture) : "grows")} | {(isOneSize && usual.Count > 0.05 ? usual.Count.ToString("0.0", CultureInfo.InvariantCulture) : "")} | {bytes:0} | {explanations.Find(type) ?? "not explained yet"} |\n");
        }

        var rest = total - lines.Sum(line => line.Bytes);
        text.Append(CultureInfo.InvariantCulture, $"| the rest, and the error of the samples | | | {rest:0} | |\n");
        text.Append(CultureInfo.InvariantCulture, $"| **all, counted by the runtime without samples** | | | **{total:0}** | |\n");
        text.Append($"\nMeasured on {result.Date} at commit {result.Commit}.\n");
        return text.ToString();
    }

    /// <summary>A type without the names of its namespaces and the compiler's own decorations.</summary>
    internal static string Readable(string type)
    {
        var text = Assembly().Replace(type, "");
        text = Namespace().Replace(text, "");
        text = StateMachine().Replace(text, ".${method}");
        text = Arity().Replace(text, "");
        text = text.Replace('+', '.');
        for (var before = ""; before != text;)
        {
            (before, text) = (text, Arguments().Replace(text, "<${types}>"));
        }

        return text;
    }

    [GeneratedRegex(@", [A-Za-z0-9.]+, Version=[^\]]*")]
    private static partial Regex Assembly();

    [GeneratedRegex(@"\b([A-Za-z_][A-Za-z0-9_]*\.)+(?=[A-Za-z_<])")]
    private static partial Regex Namespace();

    [GeneratedRegex(@"\+<(?<method>[A-Za-z0-9_]+)>d__[0-9]+")]
    private static partial Regex StateMachine();

    [GeneratedRegex(@"`[0-9]+")]
    private static partial Regex Arity();

    [GeneratedRegex(@"\[(?<types>[^\[\]]+)\]")]
    private static partial Regex Arguments();
}
