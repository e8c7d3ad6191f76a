using System.Text;

namespace Coppice.PostgreSql;

/// <summary>What text the database can hold, and how it is ordered there as .NET orders it.</summary>
internal static class StoredText
{
    /// <summary>
    /// The UTF-16 order of a text as a byte order of UTF-8, in SQL: the two differ only from U+E000 on, and there a character of each of
    /// the two kinds is led by one that tells which kind comes first.
    /// </summary>
    public const string SortKeySql =
        @"regexp_replace(regexp_replace(id, '([\uE000-\uFFFF])', U&'\E001' || '\1', 'g'), '([\U00010000-\U0010FFFF])', U&'\E000' || '\1', 'g')";

    /// <summary>Whether it is text that can have been stored: no NUL, and no surrogate by itself.</summary>
    public static bool CanHold(string? text)
    {
        if (text is null || Ascii.IsValid(text))
        {
            return text?.Contains('\0', StringComparison.Ordinal) != true;
        }

        for (ReadOnlySpan<char> rest = text; !rest.IsEmpty;)
        {
            if (rest[0] == '\0' || Rune.DecodeFromUtf16(rest, out _, out var length) != System.Buffers.OperationStatus.Done)
            {
                return false;
            }

            rest = rest[length..];
        }

        return true;
    }

    /// <summary>The same as <see cref="SortKeySql"/>, of any text: what comes after it comes after a text cut at its first NUL.</summary>
    public static string SortKey(string text)
    {
        var key = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.Value == 0)
            {
                break;
            }

            if (rune.Value >= 0xE000)
            {
                key.Append(rune.IsBmp ? '\uE001' : '\uE000');
            }

            key.Append(rune);
        }

        return key.ToString();
    }
}
