using System.Globalization;

namespace Coppice.Agents;

/// <summary>A place in a list of tasks, as the text that a model hands back to go on.</summary>
internal static class ListCursor
{
    internal static string Format(TaskSnapshot last) =>
        string.Create(CultureInfo.InvariantCulture, $"{last.CreatedAt.ToUnixTimeMilliseconds()}:{last.TaskId}");

    /// <exception cref="InvalidArgumentsException">The text is no cursor.</exception>
    internal static TaskCursor? Parse(string? text)
    {
        if (text is null)
        {
            return null;
        }

        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon > 0 && colon < text.Length - 1
            && long.TryParse(text.AsSpan(0, colon), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var time)
            && time >= DateTimeOffset.MinValue.ToUnixTimeMilliseconds() && time <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()
                ? new TaskCursor(DateTimeOffset.FromUnixTimeMilliseconds(time), text[(colon + 1)..])
                : throw new InvalidArgumentsException("'cursor' is none that list_tasks gave; leave it out to begin at the oldest task.");
    }
}
