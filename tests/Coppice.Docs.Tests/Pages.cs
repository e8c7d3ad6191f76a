namespace Coppice.Docs.Tests;

/// <summary>The written pages of this repository.</summary>
internal static class Pages
{
    internal static string Root { get; } = FindRoot();

    /// <summary>The pages for users, as paths from the root.</summary>
    internal static IReadOnlyList<string> All { get; } =
    [
        "README.md", "CHANGELOG.md",
        .. new[] { "docs", "samples" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Root, folder), "*.md", SearchOption.AllDirectories))
            .Select(file => Path.GetRelativePath(Root, file).Replace('\\', '/')).Order(StringComparer.Ordinal),
    ];

    internal static string Read(string page) => File.ReadAllText(Path.Combine(Root, page)).ReplaceLineEndings("\n");

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Coppice.slnx")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"There is no Coppice.slnx above {AppContext.BaseDirectory}.");
    }
}
