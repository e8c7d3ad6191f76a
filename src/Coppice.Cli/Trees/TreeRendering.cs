using Coppice.Cli.Rendering;

namespace Coppice.Cli.Trees;

/// <summary>Draws trees of tasks.</summary>
internal static class TreeRendering
{
    private const int ChildrenShown = 20;

    public static Lines Draw(IReadOnlyList<TaskNode> roots, DateTimeOffset now, bool all)
    {
        var lines = new Lines();
        foreach (var root in roots)
        {
            lines.Add(Row(root.Task, new TextLine(), now));
            DrawChildren(lines, root, "", now, all);
        }

        return lines;
    }

    private static void DrawChildren(Lines lines, TaskNode parent, string indent, DateTimeOffset now, bool all)
    {
        var shown = all ? parent.Children : Choose(parent.Children);
        var hidden = parent.Children.Count - shown.Count;
        for (var i = 0; i < shown.Count; i++)
        {
            var isLast = i == shown.Count - 1 && hidden == 0;
            lines.Add(Row(shown[i].Task, new TextLine().Add(indent + (isLast ? "└─ " : "├─ "), Ink.Faint), now));
            DrawChildren(lines, shown[i], indent + (isLast ? "   " : "│  "), now, all);
        }

        if (hidden > 0)
        {
            lines.Add($"{indent}└─ … and {Amounts.Count(hidden)} more: {Summary(parent.Children.Except(shown))}; --all shows them", Ink.Faint);
        }
    }

    /// <summary>What did not go well comes first, and stays in its place.</summary>
    private static List<TaskNode> Choose(List<TaskNode> children)
    {
        if (children.Count <= ChildrenShown)
        {
            return children;
        }

        var chosen = children.OrderBy(child => child.Task.State == TaskState.Completed).Take(ChildrenShown).ToHashSet();
        return [.. children.Where(chosen.Contains)];
    }

    private static string Summary(IEnumerable<TaskNode> nodes) => string.Join(
        ", ", nodes.CountBy(node => TaskText.State(node.Task)).OrderByDescending(pair => pair.Value).Select(pair => $"{Amounts.Count(pair.Value)} {pair.Key}"));

    private static TextLine Row(TaskSnapshot task, TextLine line, DateTimeOffset now)
    {
        line.Add(SafeText.Line(task.TaskId, 40), Ink.Faint);
        if (task.Name is not null)
        {
            line.Add(" ").Add(SafeText.Line(task.Name, 128), Ink.Strong);
        }

        line.Add(" ").Add(TaskText.State(task), Ink.Of(task));
        line.Add(" " + Durations.Show((task.CompletedAt ?? now) - task.CreatedAt), Ink.Faint);
        return task.Error is null || TaskText.IsOrphan(task) ? line : line.Add(" " + SafeText.Line(task.Error, 200), Ink.Bad);
    }
}
