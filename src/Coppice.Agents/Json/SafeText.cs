using System.Buffers;

namespace Coppice.Agents;

/// <summary>Makes what tasks wrote fit for any reader: whole characters, and nothing that looks like a tag.</summary>
internal static class SafeText
{
    private static readonly SearchValues<byte> Suspects = SearchValues.Create("<>\\"u8);

    /// <summary>Whether a text holds no half of a surrogate pair.</summary>
    internal static bool IsUnicode(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsSurrogate(text[i]) && !(i + 1 < text.Length && char.IsSurrogatePair(text[i], text[++i])))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Keeps the beginning of a text, without splitting a character of two units.</summary>
    internal static string Cut(string text, int length) =>
        text.Length <= length ? text : string.Concat(text.AsSpan(0, EndOfWhole(text, length)), "…");

    /// <summary>The nearest place at or before one that splits no surrogate pair.</summary>
    internal static int EndOfWhole(string text, int at) =>
        at > 0 && at < text.Length && char.IsHighSurrogate(text[at - 1]) && char.IsLowSurrogate(text[at]) ? at - 1 : at;

    /// <summary>
    /// The text of a JSON value with the same meaning, in which no tag can stand (angle brackets are escapes) and no escape is half a
    /// character, which strict readers stumble over: that becomes U+FFFD. Works on the text, so that depth and order are nothing to it.
    /// </summary>
    internal static byte[] Json(ReadOnlySpan<byte> json)
    {
        var safe = new ArrayBufferWriter<byte>(json.Length);
        while (true)
        {
            var next = json.IndexOfAny(Suspects);
            if (next < 0)
            {
                safe.Write(json);
                return safe.WrittenSpan.ToArray();
            }

            safe.Write(json[..next]);
            json = json[next..];
            json = json[WriteSuspect(safe, json)..];
        }
    }

    /// <summary>Writes what stands at the beginning of the text, and tells how much of the text that was.</summary>
    private static int WriteSuspect(ArrayBufferWriter<byte> safe, ReadOnlySpan<byte> json)
    {
        // Outside of strings JSON has none of these characters.
        if (json[0] != '\\')
        {
            safe.Write(json[0] == '<' ? "\\u003C"u8 : "\\u003E"u8);
            return 1;
        }

        if (json[1] != 'u')
        {
            safe.Write(json[..2]);
            return 2;
        }

        var unit = UnitAt(json);
        if (!char.IsSurrogate(unit))
        {
            safe.Write(json[..6]);
            return 6;
        }

        if (char.IsHighSurrogate(unit) && json.Length >= 12 && json[6] == '\\' && json[7] == 'u' && char.IsLowSurrogate(UnitAt(json[6..])))
        {
            safe.Write(json[..12]);
            return 12;
        }

        safe.Write("\\uFFFD"u8);
        return 6;
    }

    private static char UnitAt(ReadOnlySpan<byte> escape) =>
        System.Buffers.Text.Utf8Parser.TryParse(escape.Slice(2, 4), out int unit, out var consumed, 'x') && consumed == 4 ? (char)unit : '\uFFFD';
}
