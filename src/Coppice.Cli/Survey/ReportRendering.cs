using Coppice.Cli.Rendering;

namespace Coppice.Cli.Survey;

/// <summary>Shows the result of a survey: its folders, its kinds of files, and what was out of the ordinary.</summary>
internal static class ReportRendering
{
    private const int MaxRows = 20;
    private const int MaxKinds = 10;
    private const int MaxProblems = 20;

    public static Lines Draw(SurveyReport report, int width)
    {
        var lines = new Lines();
        Append(lines, Folders(report).Render(width));
        var notShown = report.FoldersNotListed + Math.Max(0, report.Folders.Count - MaxRows);
        if (notShown > 0)
        {
            lines.Add($"… and {Amounts.Of(notShown, "smaller folder")}; --json lists up to 200", Ink.Faint);
        }

        if (report.Kinds.Count > 0)
        {
            lines.Add();
            Append(lines, Kinds(report).Render(width));
            if (report.Kinds.Count > MaxKinds)
            {
                lines.Add($"… and {Amounts.Of(report.Kinds.Count + report.KindsNotListed - MaxKinds, "other kind")}", Ink.Faint);
            }
        }

        AppendNotes(lines, report, width);
        return lines;
    }

    private static TextTable Folders(SurveyReport report)
    {
        var table = new TextTable(
            new TextColumn("FOLDER") { MinWidth = 12 }, Number("FOLDERS"), Number("FILES"), Number("LINES"), Number("SIZE"));
        foreach (var row in report.Folders.Take(MaxRows))
        {
            table.AddRow(
                (Label(row.Path), Ink.Plain), (Amounts.Count(row.Folders), Ink.Faint), (Amounts.Count(row.Files), Ink.Plain),
                (Amounts.Count(row.Lines), Ink.Plain), (Amounts.Bytes(row.Bytes), Ink.Plain));
        }

        var all = report.Totals;
        table.AddRow(
            ("total", Ink.Strong), (Amounts.Count(all.Folders), Ink.Strong), (Amounts.Count(all.Files), Ink.Strong),
            (Amounts.Count(all.Lines), Ink.Strong), (Amounts.Bytes(all.Bytes), Ink.Strong));
        return table;
    }

    private static TextTable Kinds(SurveyReport report)
    {
        var table = new TextTable(new TextColumn("KIND") { MinWidth = 12 }, Number("FILES"), Number("LINES"), Number("SIZE"));
        foreach (var kind in report.Kinds.Take(MaxKinds))
        {
            table.AddRow(
                (SafeText.Line(kind.Kind, 20), Ink.Plain), (Amounts.Count(kind.Files), Ink.Plain),
                (Amounts.Count(kind.Lines), Ink.Plain), (Amounts.Bytes(kind.Bytes), Ink.Plain));
        }

        return table;
    }

    private static void AppendNotes(Lines lines, SurveyReport report, int width)
    {
        var notes = Notes(report).ToList();
        if (notes.Count > 0)
        {
            lines.Add();
            notes.ForEach(note => lines.Add(note, Ink.Faint));
        }

        if (report.ProblemCounts.Count == 0)
        {
            return;
        }

        lines.Add();
        lines.Add("To know: " + string.Join(", ", report.ProblemCounts.Select(p => $"{ProblemKinds.Show(p.Name)} ×{Amounts.Count(p.Count)}")), Ink.Warn);
        var table = new TextTable(
            new TextColumn("WHAT") { MinWidth = 10 }, new TextColumn("WHERE") { MinWidth = 14 }, new TextColumn("WHY") { MinWidth = 10 });
        foreach (var problem in report.Problems.Take(MaxProblems))
        {
            table.AddRow(
                (ProblemKinds.Show(problem.Kind), Ink.Plain), (SafeText.Line(problem.Path, 100), Ink.Plain), (SafeText.Line(problem.Detail, 200), Ink.Faint));
        }

        Append(lines, table.Render(width));
        var total = report.ProblemCounts.Sum(p => p.Count);
        if (total > table.RowCount)
        {
            lines.Add($"… and {Amounts.Count(total - table.RowCount)} more", Ink.Faint);
        }
    }

    private static IEnumerable<string> Notes(SurveyReport report)
    {
        if (report.Totals.BinaryFiles > 0)
        {
            yield return $"{Amounts.Of(report.Totals.BinaryFiles, "binary file")}, whose lines are not counted";
        }

        if (report.Totals.LinksNotFollowed > 0)
        {
            yield return $"{Amounts.Of(report.Totals.LinksNotFollowed, "link")} not followed";
        }

        if (report.Excluded.Count > 0)
        {
            yield return $"Left out by name: {string.Join(", ", report.Excluded.Select(e => $"{SafeText.Line(e.Name, 40)} ×{Amounts.Count(e.Count)}"))} (--all counts them)";
        }
    }

    private static string Label(string path) => path == FolderItem.RootPath ? "(files right here)" : SafeText.Line(path, 80);

    private static TextColumn Number(string title) => new(title) { RightAligned = true };

    private static void Append(Lines lines, Lines more)
    {
        foreach (var line in more.All)
        {
            lines.Add(line);
        }
    }
}
