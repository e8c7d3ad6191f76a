using System.Text.RegularExpressions;

namespace Coppice.Docs.Tests;

/// <summary>
/// A fenced block of a page. C# comes in two forms: one that begins with a <c>using</c> directive is a whole program, which is run, and
/// whose output has to be the <c>text</c> block that follows it, if one does. Every other one is statements, which have to compile
/// with what <see cref="Compiler"/> puts around them.
/// </summary>
internal sealed partial record CodeBlock(string Page, int Line, string Language, string Text)
{
    internal bool IsProgram => Language == "csharp" && UsingDirective().IsMatch(Text);

    internal string Name => $"{Page}:{Line}";

    internal static IReadOnlyList<CodeBlock> Of(string page)
    {
        var blocks = new List<CodeBlock>();
        var lines = Pages.Read(page).Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            if (!lines[i].StartsWith("```", StringComparison.Ordinal))
            {
                continue;
            }

            var start = i + 1;
            var end = Array.FindIndex(lines, start, line => line == "```");
            Assert.True(end >= 0, $"{page}:{i + 1} opens a block that is never closed.");
            blocks.Add(new(page, start + 1, lines[i][3..].Trim(), string.Join('\n', lines[start..end]) + "\n"));
            i = end;
        }

        return blocks;
    }

    [GeneratedRegex(@"\Ausing [A-Za-z.]+;")]
    private static partial Regex UsingDirective();
}
