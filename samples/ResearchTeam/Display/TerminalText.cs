using System.Globalization;
using System.Text;

namespace Coppice.Samples.ResearchTeam;

/// <summary>Text of models and tasks on a terminal: data, which can neither colour it nor move the cursor.</summary>
internal static class TerminalText
{
    /// <summary>One line, cut where it is too long.</summary>
    internal static string Line(string text, int maxLength = 1000)
    {
        var line = string.Join(' ', Block(text).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        if (line.Length <= maxLength)
        {
            return line;
        }

        var end = char.IsHighSurrogate(line[maxLength - 2]) ? maxLength - 2 : maxLength - 1;
        return line[..end] + "…";
    }

    /// <summary>Several lines.</summary>
    internal static string Block(string text)
    {
        var safe = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.Value is '\n')
            {
                safe.Append('\n');
            }
            else if (rune.Value is '\t')
            {
                safe.Append("    ");
            }
            else if (IsShown(rune))
            {
                safe.Append(rune);
            }
        }

        return safe.ToString();
    }

    private static bool IsShown(Rune rune) => Rune.GetUnicodeCategory(rune)
        is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
}
