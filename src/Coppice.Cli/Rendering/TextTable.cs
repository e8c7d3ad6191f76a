using Spectre.Console;

namespace Coppice.Cli.Rendering;

/// <summary>Aligned columns without borders. Where the width does not suffice the widest of the columns that may shrink do.</summary>
internal sealed class TextTable(params TextColumn[] columns)
{
    private const int Gap = 2;
    private const int LeftOut = -1;

    private readonly List<(string Text, Style Style)[]> _rows = [];

    public int RowCount => _rows.Count;

    public void AddRow(params (string Text, Style Style)[] cells) => _rows.Add(cells);

    public Lines Render(int maxWidth)
    {
        var widths = Fit(maxWidth);
        var lines = new Lines();
        lines.Add(Row([.. columns.Select(column => (column.Title, Ink.Faint))], widths));
        foreach (var row in _rows)
        {
            lines.Add(Row(row, widths));
        }

        return lines;
    }

    private int[] Fit(int maxWidth)
    {
        var widths = new int[columns.Length];
        for (var i = 0; i < columns.Length; i++)
        {
            widths[i] = Math.Min(columns[i].MaxWidth, Math.Max(
                columns[i].Title.GetCellWidth(), _rows.Count == 0 ? 0 : _rows.Max(row => row[i].Text.GetCellWidth())));
        }

        var excess = widths.Sum() + (Gap * (columns.Length - 1)) - maxWidth;
        for (var i = columns.Length - 1; i >= 0 && excess > Shrinkable(widths); i--)
        {
            if (columns[i].Optional)
            {
                excess -= widths[i] + Gap;
                widths[i] = LeftOut;
            }
        }

        while (excess > 0 && Widest(widths) is { } widest)
        {
            widths[widest]--;
            excess--;
        }

        return widths;
    }

    private int Shrinkable(int[] widths) => widths.Select((width, i) => Math.Max(0, width - columns[i].MinWidth)).Sum();

    private int? Widest(int[] widths)
    {
        int? widest = null;
        for (var i = 0; i < widths.Length; i++)
        {
            if (widths[i] > columns[i].MinWidth && (widest is null || widths[i] >= widths[widest.Value]))
            {
                widest = i;
            }
        }

        return widest;
    }

    private TextLine Row((string Text, Style Style)[] cells, int[] widths)
    {
        var line = new TextLine();
        var start = 0;
        for (var i = 0; i < cells.Length; i++)
        {
            if (widths[i] == LeftOut)
            {
                continue;
            }

            var text = SafeText.Fit(cells[i].Text, widths[i]);
            if (text.Length > 0)
            {
                line.PadTo(start + (columns[i].RightAligned ? widths[i] - text.GetCellWidth() : 0));
                line.Add(text, cells[i].Style);
            }

            start += widths[i] + Gap;
        }

        return line;
    }
}
