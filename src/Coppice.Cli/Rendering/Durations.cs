using System.Globalization;

namespace Coppice.Cli.Rendering;

/// <summary>Spans of time as people write and read them.</summary>
internal static class Durations
{
    /// <summary>What a duration looks like, for messages.</summary>
    public const string Form = "a whole number and a unit, such as 30s, 30m, 12h, 7d or 2w";

    private static readonly TimeSpan Longest = TimeSpan.FromDays(36_500);

    /// <summary>Reads a whole number with a unit: s, m, h, d or w. At most a hundred years.</summary>
    /// <param name="text">The text.</param>
    /// <param name="duration">What it says.</param>
    /// <param name="error">What is wrong with it, fit to be shown, when it says nothing.</param>
    public static bool TryParse(string text, out TimeSpan duration, out string error)
    {
        duration = TimeSpan.Zero;
        error = "";
        var trimmed = text.Trim();
        var unit = trimmed.Length == 0 ? '\0' : char.ToLowerInvariant(trimmed[^1]);
        if (UnitLength(unit) is not { } length
            || !long.TryParse(trimmed.AsSpan(0, trimmed.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var count))
        {
            error = $"'{SafeText.Line(text, 40)}' is not a duration; write {Form}.";
            return false;
        }

        if (count > Longest / length)
        {
            error = $"'{SafeText.Line(text, 40)}' is longer than a hundred years.";
            return false;
        }

        duration = length * count;
        return true;
    }

    /// <summary>A duration with two units at the most: <c>850 ms</c>, <c>4.2 s</c>, <c>3 min 20 s</c>, <c>2 h 5 min</c>, <c>3 d 4 h</c>.</summary>
    public static string Show(TimeSpan duration)
    {
        var d = duration < TimeSpan.Zero ? TimeSpan.Zero : duration;
        return d switch
        {
            { TotalMilliseconds: < 999.5 } => Text($"{d.TotalMilliseconds:0} ms"),
            { TotalSeconds: < 59.95 } => Text($"{d.TotalSeconds:0.0} s"),
            { TotalHours: < 1 } => Text($"{d.Minutes} min {d.Seconds} s"),
            { TotalDays: < 1 } => Text($"{d.Hours} h {d.Minutes} min"),
            _ => Text($"{(long)d.TotalDays} d {d.Hours} h"),
        };
    }

    /// <summary>How long ago, in one unit: <c>just now</c>, <c>40 s</c>, <c>3 min</c>, <c>5 h</c>, <c>12 d</c>.</summary>
    public static string Age(TimeSpan age) => age switch
    {
        { TotalSeconds: < 1 } => "now",
        { TotalMinutes: < 1 } => Text($"{(int)age.TotalSeconds} s"),
        { TotalHours: < 1 } => Text($"{(int)age.TotalMinutes} min"),
        { TotalDays: < 2 } => Text($"{(int)age.TotalHours} h"),
        _ => Text($"{(long)age.TotalDays} d"),
    };

    private static TimeSpan? UnitLength(char unit) => unit switch
    {
        's' => TimeSpan.FromSeconds(1),
        'm' => TimeSpan.FromMinutes(1),
        'h' => TimeSpan.FromHours(1),
        'd' => TimeSpan.FromDays(1),
        'w' => TimeSpan.FromDays(7),
        _ => null,
    };

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
