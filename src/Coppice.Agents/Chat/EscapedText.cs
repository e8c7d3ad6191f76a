using System.Text;

namespace Coppice.Agents;

/// <summary>Text of tasks inside text of ours: it stays data, and can neither close a tag nor open one.</summary>
internal static class EscapedText
{
    /// <summary>JSON in which no character can be taken for a tag's. Such characters stand only inside strings, where an escape means the same.</summary>
    internal static string Json(string json) =>
        json.AsSpan().ContainsAny('<', '>', '&')
            ? json.Replace("&", "\\u0026", StringComparison.Ordinal).Replace("<", "\\u003c", StringComparison.Ordinal).Replace(">", "\\u003e", StringComparison.Ordinal)
            : json;

    /// <summary>Text in one line, between tags or within quotes.</summary>
    internal static string Line(string text, int maxLength)
    {
        var escaped = new StringBuilder();
        foreach (var rune in Cut(text, maxLength).EnumerateRunes())
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

    /// <summary>The beginning of a text, whole characters only.</summary>
    internal static ReadOnlySpan<char> Cut(string text, int maxLength)
    {
        if (text.Length <= maxLength)
        {
            return text;
        }

        return text.AsSpan(0, maxLength > 0 && char.IsHighSurrogate(text[maxLength - 1]) ? maxLength - 1 : maxLength);
    }
}
