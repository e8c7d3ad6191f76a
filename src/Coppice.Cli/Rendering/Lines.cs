using Spectre.Console;
using Spectre.Console.Rendering;

namespace Coppice.Cli.Rendering;

/// <summary>Lines that are cut at the width of the console instead of being wrapped.</summary>
internal sealed class Lines : Renderable
{
    private readonly List<TextLine> _lines = [];

    public IReadOnlyList<TextLine> All => _lines;

    public Lines Add(TextLine line)
    {
        _lines.Add(line);
        return this;
    }

    public Lines Add(string text = "", Style? style = null) => Add(new TextLine().Add(text, style));

    protected override Measurement Measure(RenderOptions options, int maxWidth)
    {
        var width = Math.Min(maxWidth, _lines.Count == 0 ? 0 : _lines.Max(line => line.Width));
        return new Measurement(width, width);
    }

    protected override IEnumerable<Segment> Render(RenderOptions options, int maxWidth)
    {
        foreach (var line in _lines)
        {
            var left = maxWidth;
            foreach (var (text, style) in line.Pieces)
            {
                if (left <= 0)
                {
                    break;
                }

                var shown = SafeText.Fit(text, left);
                left -= shown.GetCellWidth();
                yield return new Segment(shown, style);
            }

            yield return Segment.LineBreak;
        }
    }
}
