using System.Globalization;
using System.Text;

namespace Coppice.Testing;

/// <summary>Tasks and mail as the message of a failed assertion shows them, each on a line of its own.</summary>
internal static class TaskLines
{
    private const int MaxLines = 50;

    internal static string Of(IReadOnlyCollection<TaskSnapshot> tasks) => Join(tasks.Select(Of), tasks.Count, "no task at all");

    internal static string Of(IReadOnlyCollection<InboxItem> mail) => Join(mail.Select(Of), mail.Count, "nothing");

    internal static string Of(TaskSnapshot task)
    {
        var line = new StringBuilder();
        line.Append(CultureInfo.InvariantCulture, $"{OneLine.Of(task.TaskId)} {task.State.ToWireName()}, thread {OneLine.Quote(task.OwnerThreadId)}");
        Add(line, "type", task.Type == TaskTypes.Task ? null : task.Type);
        Add(line, "name", task.Name);
        Add(line, "description", task.Description);
        Add(line, "spawned by task", task.Lineage.TaskId);
        Add(line, "run", task.Lineage.RunId);
        Add(line, "cancel requested by", task.CancelledBy);
        Add(line, "error", task.Error);
        Add(line, "result", task.Result?.GetRawText());
        return line.ToString();
    }

    private static string Of(InboxItem item) =>
        string.Create(CultureInfo.InvariantCulture, $"{item.Sequence}: {OneLine.Of(MailEventJson.Serialize(item.Event))}");

    private static string Join(IEnumerable<string> lines, int count, string none)
    {
        if (count == 0)
        {
            return "  " + none;
        }

        var text = string.Join('\n', lines.Take(MaxLines).Select(static line => "  " + line));
        return count > MaxLines ? string.Create(CultureInfo.InvariantCulture, $"{text}\n  … and {count - MaxLines} more") : text;
    }

    private static void Add(StringBuilder line, string label, string? value)
    {
        if (!string.IsNullOrEmpty(value))
        {
            line.Append(CultureInfo.InvariantCulture, $", {label} {OneLine.Quote(value)}");
        }
    }
}
