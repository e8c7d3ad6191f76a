using System.Globalization;

namespace Coppice.Workloads;

/// <summary>What a figure, or its ratio to the floor, should be.</summary>
/// <param name="Value">The limit.</param>
/// <param name="IsRatio">Whether the ratio is judged, not the figure.</param>
/// <param name="IsLeast">Whether more is better.</param>
internal sealed record Goal(double Value, bool IsRatio, bool IsLeast)
{
    internal static Goal None { get; } = new(double.NaN, IsRatio: false, IsLeast: false);

    internal static Goal RatioAtLeast(double value) => new(value, IsRatio: true, IsLeast: true);

    internal static Goal RatioAtMost(double value) => new(value, IsRatio: true, IsLeast: false);

    internal static Goal AtLeast(double value) => new(value, IsRatio: false, IsLeast: true);

    internal static Goal AtMost(double value) => new(value, IsRatio: false, IsLeast: false);

    /// <summary>Whether it is met; <see langword="null"/> when there is no goal.</summary>
    internal bool? IsMet(double figure, double? ratio)
    {
        if (double.IsNaN(Value))
        {
            return null;
        }

        var judged = IsRatio ? ratio ?? double.NaN : figure;
        return IsLeast ? judged >= Value : judged <= Value;
    }

    internal string ToText(string unit)
    {
        if (double.IsNaN(Value))
        {
            return "";
        }

        var value = Value.ToString("#,0.##", CultureInfo.InvariantCulture);
        return $"{(IsLeast ? "at least" : "at most")} {(IsRatio ? value + " ×" : value + " " + unit)}";
    }
}
