using Spectre.Console;

namespace Coppice.Cli.Rendering;

/// <summary>A line of pieces, each in a style. The text has to be safe already (<see cref="SafeText"/>).</summary>
internal sealed class TextLine
{
    private readonly List<(string Text, Style Style)> _pieces = [];

    public IReadOnlyList<(string Text, Style Style)> Pieces => _pieces;

    public int Width { get; private set; }

    public TextLine Add(string text, Style? style = null)
    {
        if (text.Length > 0)
        {
            _pieces.Add((text, style ?? Ink.Plain));
            Width += text.GetCellWidth();
        }

        return this;
    }

    public TextLine PadTo(int width) => width > Width ? Add(new string(' ', width - Width)) : this;
}
