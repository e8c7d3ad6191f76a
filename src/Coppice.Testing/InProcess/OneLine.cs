using System.Globalization;
using System.Text;

namespace Coppice.Testing;

/// <summary>Text of tasks as it may stand in a message: on one line, without controls, and not too long. It is data, whatever it says.</summary>
internal static class OneLine
{
    private const int MaxLength = 200;

    internal static string Quote(string text) => $"'{Of(text)}'";

    internal static string Of(string text)
    {
        var line = new StringBuilder();
        foreach (var rune in text.EnumerateRunes())
        {
            if (line.Length >= MaxLength)
            {
                return line.Append(CultureInfo.InvariantCulture, $"… ({text.Length} characters)").ToString();
            }

            if (IsShown(rune))
            {
                line.Append(rune.ToString());
            }
            else
            {
                line.Append(CultureInfo.InvariantCulture, $"\\u{{{rune.Value:x}}}");
            }
        }

        return line.ToString();
    }

    private static bool IsShown(Rune rune) => Rune.GetUnicodeCategory(rune) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
        or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned);
}
