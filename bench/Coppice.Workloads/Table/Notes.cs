using System.Text.RegularExpressions;

namespace Coppice.Workloads;

/// <summary>What people wrote about figures: a list of "- `name`: text" in a Markdown file, whose items may go on in indented lines.</summary>
internal sealed partial class Notes
{
    private readonly Dictionary<string, string> _texts = new(StringComparer.Ordinal);

    internal IEnumerable<string> Names => _texts.Keys;

    internal static Notes Load(string path) => Parse(File.Exists(path) ? File.ReadAllText(path) : "");

    internal static Notes Parse(string text)
    {
        var notes = new Notes();
        foreach (Match item in Item().Matches(text.ReplaceLineEndings("\n")))
        {
            notes._texts[item.Groups["name"].Value] = Space().Replace(item.Groups["text"].Value.Trim(), " ");
        }

        return notes;
    }

    internal string? Find(string name) => _texts.GetValueOrDefault(name);

    [GeneratedRegex(@"^- `(?<name>[^`]+)`: (?<text>[^\n]*(\n +[^\n]*)*)", RegexOptions.Multiline)]
    private static partial Regex Item();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();
}
