using System.Globalization;
using System.Text;
using Spectre.Console;

namespace Coppice.Cli.Rendering;

/// <summary>
/// Makes text of unknown origin fit to be shown: nothing in it can move the cursor, colour, hide or reorder what stands around it.
/// What is not shown as it is, is shown as an escape such as <c>\n</c>, <c>\x1b</c> or <c>\u202e</c>.
/// </summary>
internal static class SafeText
{
    /// <summary>One line, at most <paramref name="maxCells"/> terminal cells wide; a longer one ends in an ellipsis.</summary>
    public static string Line(string? text, int maxCells = int.MaxValue)
    {
        if (string.IsNullOrEmpty(text) || maxCells <= 0)
        {
            return "";
        }

        // Combining marks take no cell, so the cells alone do not bound what is looked at.
        var bound = (int)Math.Min(text.Length, Math.Max(64L, 4L * maxCells));
        return Fit(Escape(text.AsSpan(0, bound)), maxCells, cut: bound < text.Length);
    }

    /// <summary>Several lines, each safe; line ends of the text are kept as line ends.</summary>
    public static IEnumerable<string> Block(string? text)
    {
        foreach (var line in (text ?? "").Split('\n'))
        {
            yield return Escape(line.AsSpan().TrimEnd('\r')).Replace("\\t", "    ", StringComparison.Ordinal);
        }
    }

    /// <summary>Whether a character may stand in shown text as it is.</summary>
    public static bool IsSafe(Rune rune) => Rune.GetUnicodeCategory(rune)
        is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
            or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Surrogate);

    /// <summary>The text cut to a width, with an ellipsis where something is missing. The text has to be safe already.</summary>
    public static string Fit(string safe, int maxCells, bool cut = false)
    {
        if (!cut && safe.GetCellWidth() <= maxCells)
        {
            return safe;
        }

        var kept = new StringBuilder();
        var cells = 0;
        foreach (var rune in safe.EnumerateRunes())
        {
            var width = rune.ToString().GetCellWidth();
            if (cells + width > maxCells - 1)
            {
                break;
            }

            kept.Append(rune);
            cells += width;
        }

        return kept.Append('…').ToString();
    }

    /// <summary>Safe text broken between words, so that no line is wider than <paramref name="width"/> unless a word is.</summary>
    public static IEnumerable<string> Wrap(string safe, int width, string indent = "")
    {
        var line = new StringBuilder();
        var cells = 0;
        foreach (var word in safe.Split(' '))
        {
            var wordCells = word.GetCellWidth();
            if (cells > indent.Length && cells + 1 + wordCells > width)
            {
                yield return line.ToString();
                line.Clear().Append(indent);
                cells = indent.Length;
            }
            else if (line.Length > 0)
            {
                line.Append(' ');
                cells++;
            }

            line.Append(word);
            cells += wordCells;
        }

        yield return line.ToString();
    }

    private static string Escape(ReadOnlySpan<char> text)
    {
        var result = new StringBuilder(text.Length + 16);
        while (!text.IsEmpty)
        {
            // A lone surrogate decodes as U+FFFD, which is what a terminal would show for it.
            Rune.DecodeFromUtf16(text, out var rune, out var consumed);
            text = text[consumed..];
            if (IsSafe(rune))
            {
                result.Append(rune);
            }
            else
            {
                AppendEscape(result, rune);
            }
        }

        return result.ToString();
    }

    private static void AppendEscape(StringBuilder result, Rune rune) => _ = rune.Value switch
    {
        '\n' => result.Append("\\n"),
        '\r' => result.Append("\\r"),
        '\t' => result.Append("\\t"),
        < 0x100 => result.Append(CultureInfo.InvariantCulture, $"\\x{rune.Value:x2}"),
        < 0x10000 => result.Append(CultureInfo.InvariantCulture, $"\\u{rune.Value:x4}"),
        _ => result.Append(CultureInfo.InvariantCulture, $"\\U{rune.Value:x8}"),
    };
}
