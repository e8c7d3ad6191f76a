using System.Text;

namespace Coppice.Agents;

/// <summary>Text of tasks inside text of ours: it stays data, and can neither close a tag nor open one.</summary>
internal static class EscapedText
{
    /// <summary>Text in one line, between tags or within quotes.</summary>
    internal static string Line(string text, int maxLength)
    {
        var escaped = new StringBuilder();
        foreach (var rune in text.AsSpan(0, SafeText.EndOfWhole(text, Math.Min(text.Length, maxLength))).EnumerateRunes())
        {
            switch (rune.Value)
            {
                case '<': escaped.Append("&lt;"); break;
                case '>': escaped.Append("&gt;"); break;
                case '&': escaped.Append("&amp;"); break;
                case '"': escaped.Append("&quot;"); break;
                default:
                    if (Rune.IsControl(rune) || rune.Value is 0x2028 or 0x2029)
                    {
                        escaped.Append(' ');
                    }
                    else
                    {
                        escaped.Append(rune.ToString());
                    }

                    break;
            }
        }

        return escaped.ToString();
    }
}
