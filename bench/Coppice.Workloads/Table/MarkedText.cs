namespace Coppice.Workloads;

/// <summary>A part of a page that is written by the program, between "&lt;!-- name --&gt;" and "&lt;!-- /name --&gt;".</summary>
internal static class MarkedText
{
    internal static void Replace(string path, string name, string text) => File.WriteAllText(path, Replaced(File.ReadAllText(path), name, text));

    internal static string Replaced(string page, string name, string text)
    {
        var (begin, end) = ($"<!-- {name} -->", $"<!-- /{name} -->");
        var from = page.IndexOf(begin, StringComparison.Ordinal);
        var to = page.IndexOf(end, StringComparison.Ordinal);
        return from >= 0 && to > from
            ? page[..(from + begin.Length)] + "\n" + text.TrimEnd() + "\n" + page[to..]
            : throw new InvalidOperationException($"The page has no place marked {begin} … {end}.");
    }
}
