using System.Globalization;

namespace Coppice.Workloads;

/// <summary>A line of the table, worked out: medians of the runs, and the median of the ratios of each run to the floor beside it.</summary>
internal sealed record TableLine(Line Line, double Ours, double? Floor, double? Ratio, double LowestRatio, double HighestRatio)
{
    internal bool? IsMet => Line.Goal.IsMet(Ours, Ratio);

    internal static TableLine Of(Row row, Line line, RowResult result)
    {
        var ours = result.Ours.ConvertAll(figures => figures[line.Figure]);
        var against = line.Against ?? (row.Floor is null ? "" : line.Figure);
        if (against.Length == 0)
        {
            return new(line, Statistics.Median(ours), null, null, 0, 0);
        }

        var floors = (row.Floor is null || line.IsWithin ? result.Ours : result.Floor).ConvertAll(figures => figures[against]);
        var ratios = ours.Zip(floors, (one, other) => one / other).ToList();
        return new(line, Statistics.Median(ours), Statistics.Median(floors), Statistics.Median(ratios), ratios.Min(), ratios.Max());
    }

    internal string ToMarkdown(string reason) =>
        $"| {Line.Title} | {Amount(Ours)} | {(Floor is { } floor ? Amount(floor) + (Line.FloorIs is { } what ? $" ({what})" : "") : "")} "
        + $"| {RatioText()} | {Line.Goal.ToText(Line.Unit)} | {IsMet switch { true => "yes", false => "no", null => "" }} | {reason} |";

    private string RatioText() => Ratio is { } ratio
        ? string.Create(CultureInfo.InvariantCulture, $"{ratio:0.00} ({LowestRatio:0.00} to {HighestRatio:0.00})")
        : "";

    private string Amount(double value) =>
        value.ToString(Math.Abs(value) switch { < 10 => "0.00", < 100 => "0.0", _ => "#,0" }, CultureInfo.InvariantCulture) + " " + Line.Unit;
}
