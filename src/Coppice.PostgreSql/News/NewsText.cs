using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Coppice.PostgreSql;

/// <summary>
/// News as the text of notifications. A page is <c>n1 process number</c> and its items; an item is a letter, two numbers, and two texts with their lengths
/// before them, so that they may hold anything. Anybody who may connect to the database can send text, so what is read is believed in nothing.
/// </summary>
internal static class NewsText
{
    /// <summary>The longest page, in bytes of UTF-8. The server takes less than 8,000.</summary>
    public const int MaxBytes = 7900;

    /// <summary>The longest JSON that an item takes with it, in bytes of UTF-8.</summary>
    public const int MaxJsonBytes = 4096;

    private const string Mark = "n1 ";

    /// <summary>Writes pages.</summary>
    /// <param name="process">The process that sends them.</param>
    /// <param name="firstNumber">The number of the first.</param>
    /// <param name="items">The news.</param>
    public static IReadOnlyList<string> Write(long process, long firstNumber, IEnumerable<NewsItem> items)
    {
        var pages = new List<string>();
        var page = new StringBuilder();
        var bytes = 0;
        foreach (var item in items)
        {
            var text = Write(item);
            var size = Encoding.UTF8.GetByteCount(text);
            if (bytes > 0 && bytes + size > MaxBytes)
            {
                End();
            }

            if (bytes == 0)
            {
                page.Append(CultureInfo.InvariantCulture, $"{Mark}{process} {firstNumber + pages.Count} ");
                bytes = page.Length;
            }

            page.Append(text);
            bytes += size;
        }

        if (bytes > 0)
        {
            End();
        }

        return pages;

        void End()
        {
            pages.Add(page.ToString());
            page.Clear();
            bytes = 0;
        }
    }

    /// <summary>Reads a page, if it is one.</summary>
    public static bool TryRead(string text, out NewsPage page)
    {
        page = default;
        var rest = text.AsSpan();
        if (!rest.StartsWith(Mark, StringComparison.Ordinal))
        {
            return false;
        }

        rest = rest[Mark.Length..];
        if (!TryNumber(ref rest, ' ', out var process) || !TryNumber(ref rest, ' ', out var number) || number < 1)
        {
            return false;
        }

        var items = new List<NewsItem>();
        while (!rest.IsEmpty)
        {
            if (!TryItem(ref rest, out var item))
            {
                return false;
            }

            items.Add(item);
        }

        page = new NewsPage(process, number, items);
        return true;
    }

    private static string Write(NewsItem item) => string.Create(
        CultureInfo.InvariantCulture, $"{(char)item.Kind}{item.First},{item.Second},{item.Text.Length}:{item.Text}{item.Json.Length}:{item.Json}");

    private static bool TryItem(ref ReadOnlySpan<char> rest, out NewsItem item)
    {
        item = default;
        var kind = (NewsKind)rest[0];
        rest = rest[1..];
        if (!Enum.IsDefined(kind)
            || !TryNumber(ref rest, ',', out var first) || !TryNumber(ref rest, ',', out var second)
            || !TryText(ref rest, out var text) || !TryText(ref rest, out var json))
        {
            return false;
        }

        item = new NewsItem(kind, first, second, text, json);
        return IsSound(item);
    }

    private static bool IsSound(NewsItem item) => item.Kind switch
    {
        NewsKind.Work => item.Text.Length > 0 && (item.Second == 0
            || (item.First >= DateTimeOffset.MinValue.ToUnixTimeMilliseconds() && item.First <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds())),
        NewsKind.Change => item.Text.Length > 0 && Enum.IsDefined(item.Change) && (item.Change == TaskChangeKind.Emitted ? item.Sequence > 0 : item.Text.Length == 1 && item.Json.Length == 0),
        NewsKind.Dropped or NewsKind.Joined => true,
        _ => item.Text.Length > 0,
    };

    private static bool TryNumber(ref ReadOnlySpan<char> rest, char end, out long number)
    {
        number = 0;
        var length = rest.IndexOf(end);
        if (length < 1 || !long.TryParse(rest[..length], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number))
        {
            return false;
        }

        rest = rest[(length + 1)..];
        return true;
    }

    private static bool TryText(ref ReadOnlySpan<char> rest, [NotNullWhen(true)] out string? text)
    {
        text = null;
        if (!TryNumber(ref rest, ':', out var length) || length < 0 || length > rest.Length)
        {
            return false;
        }

        text = rest[..(int)length].ToString();
        rest = rest[(int)length..];
        return true;
    }
}
