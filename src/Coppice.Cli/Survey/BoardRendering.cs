using Coppice.Cli.Rendering;

namespace Coppice.Cli.Survey;

/// <summary>Draws the board: a line for the survey, and the tree of its tasks with a bar for each that runs.</summary>
internal static class BoardRendering
{
    private const int MaxNameWidth = 44;

    public static Lines Draw(SurveyBoard board, int width, int height, TimeSpan elapsed, TextLine notice)
    {
        var nodes = board.Visible(Math.Max(3, height - 4));
        var lines = new Lines();
        lines.Add(Head(board.Progress, width, elapsed));
        var nameWidth = Math.Min(MaxNameWidth, Math.Max(12, width * 2 / 5));
        var shown = nodes.ToHashSet();
        var children = nodes.ToLookup(node => node.Parent is { } parent && shown.Contains(parent) ? parent : null);
        foreach (var root in children[null])
        {
            lines.Add(Row(root, "", nameWidth, width));
            DrawChildren(lines, root, children, "", nameWidth, width);
        }

        lines.Add(notice);
        return lines;
    }

    private static TextLine Head(SurveyProgress? progress, int width, TimeSpan elapsed)
    {
        var line = new TextLine();
        if (progress is null)
        {
            return line.Add("Starting ").Add(Durations.Show(elapsed), Ink.Faint);
        }

        // The folders known grow while the survey goes on, so this says how far it is through what it knows.
        AddBar(line, progress.FoldersDone, progress.FoldersKnown, Math.Clamp((width - 50) / 3, 6, 24));
        var lineCount = width < 90 ? "" : $", {Amounts.Of(progress.Lines, "line")}";
        return line
            .Add($" {Amounts.Count(progress.FoldersDone)} of {Amounts.Count(progress.FoldersKnown)} folders found", Ink.Strong)
            .Add($"  {Durations.Show(elapsed)}  {Amounts.Of(progress.Files, "file")}{lineCount}, {Amounts.Bytes(progress.Bytes)}", Ink.Faint);
    }

    private static void DrawChildren(
        Lines lines, BoardNode parent, ILookup<BoardNode?, BoardNode> children, string indent, int nameWidth, int width)
    {
        var below = children[parent].ToList();
        for (var i = 0; i < below.Count; i++)
        {
            var isLast = i == below.Count - 1;
            lines.Add(Row(below[i], indent + (isLast ? "└─ " : "├─ "), nameWidth, width));
            DrawChildren(lines, below[i], children, indent + (isLast ? "   " : "│  "), nameWidth, width);
        }
    }

    private static TextLine Row(BoardNode node, string branch, int nameWidth, int width)
    {
        var line = new TextLine().Add(branch, Ink.Faint);
        var room = Math.Max(8, nameWidth - line.Width);
        line.Add(SafeText.Line(Label(node), room), node.IsLive ? Ink.Plain : Ink.Faint).PadTo(nameWidth + 1);
        switch (node)
        {
            case { State: TaskState.Completed }:
                return line.Add("✓ ", Ink.Good).Add(Done(node), Ink.Faint);
            case { State: TaskState.Failed }:
                return line.Add("✗ failed", Ink.Bad);
            case { State: TaskState.Cancelled }:
                return line.Add("■ cancelled", Ink.Warn);
            case { Progress: { Listed: true } progress }:
                AddBar(line, progress.Bytes, progress.TotalBytes, Math.Clamp(width / 8, 6, 16));
                return line.Add($" {Amounts.Count(progress.Files)} of {Amounts.Of(progress.TotalFiles, "file")}", Ink.Faint);
            case { Progress: { } progress }:
                return line.Add($"listing, {Amounts.Of(progress.Files + progress.TotalFiles, "file")} so far", Ink.Faint);
            default:
                return node.Parent is null ? line.Add("running", Ink.Busy) : line.Add("begins", Ink.Faint);
        }
    }

    /// <summary>Beneath its parent a folder needs only its own name.</summary>
    private static string Label(BoardNode node)
    {
        var slash = node.Parent?.Parent is null ? -1 : node.Name.LastIndexOf(Path.DirectorySeparatorChar);
        return slash < 0 || slash == node.Name.Length - 1 ? node.Name : node.Name[(slash + 1)..];
    }

    private static string Done(BoardNode node) =>
        node.Result is { Files: > 0 } result ? $"{Amounts.Of(result.Files, "file")}, {Amounts.Of(result.Lines, "line")}" : "";

    private static void AddBar(TextLine line, long done, long total, int width)
    {
        var filled = total <= 0 ? 0 : (int)Math.Clamp(width * (double)done / total, 0, width);
        line.Add(new string('━', filled), Ink.Busy).Add(new string('─', width - filled), Ink.Faint);
    }
}
