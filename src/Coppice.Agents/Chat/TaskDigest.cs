using System.Globalization;
using System.Text;

namespace Coppice.Agents;

/// <summary>A few lines on the live tasks of a thread, so that a model knows of them whatever its conversation has lost.</summary>
internal static class TaskDigest
{
    private const int MaxText = 200;

    /// <summary>The digest, or <see langword="null"/> when nothing is live.</summary>
    internal static string? Of(IReadOnlyList<TaskSnapshot> live, int maxTasks, DateTimeOffset now)
    {
        if (live.Count == 0 || maxTasks == 0)
        {
            return null;
        }

        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"<background-tasks live=\"{live.Count}\">\n");
        foreach (var task in live.Take(maxTasks))
        {
            AppendLine(text, task, now);
        }

        if (live.Count > maxTasks)
        {
            text.Append(CultureInfo.InvariantCulture, $"and {live.Count - maxTasks} more; the tool list_tasks shows them\n");
        }

        return text.Append("They go on by themselves, and you will be told when they end: do not poll.\n</background-tasks>").ToString();
    }

    private static void AppendLine(StringBuilder text, TaskSnapshot task, DateTimeOffset now)
    {
        text.Append(EscapedText.Line(task.TaskId, MaxText));
        if (task.Name is not null)
        {
            text.Append(" \"").Append(EscapedText.Line(task.Name, MaxText)).Append('"');
        }

        var age = Math.Max(0, (long)(now - task.CreatedAt).TotalSeconds);
        text.Append(" (").Append(EscapedText.Line(task.Type, MaxText)).Append(") ").Append(task.State.ToWireName())
            .Append(CultureInfo.InvariantCulture, $" for {age} s");
        if (task.CancelRequestedAt is not null)
        {
            text.Append(", asked to stop");
        }

        if (task.Description.Length > 0)
        {
            text.Append(": ").Append(EscapedText.Line(task.Description, MaxText));
        }

        text.Append('\n');
    }
}
