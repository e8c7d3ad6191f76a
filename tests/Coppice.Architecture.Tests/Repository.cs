using System.Xml.Linq;

namespace Coppice.Architecture.Tests;

/// <summary>The repository that these tests were built in.</summary>
internal static class Repository
{
    internal static string Root { get; } = FindRoot();

    internal static string PathOf(params string[] parts) => Path.Combine([Root, .. parts]);

    /// <summary>The project files below a folder, built output left out.</summary>
    internal static IReadOnlyList<ProjectFile> Projects(string folder) =>
        !Directory.Exists(PathOf(folder))
            ? []
            : [.. Directory.EnumerateFiles(PathOf(folder), "*.csproj", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(Load)];

    /// <summary>The projects of <c>src/</c> that others build on: all but programs.</summary>
    internal static IReadOnlyList<ProjectFile> Libraries => [.. Projects("src").Where(p => !p.IsProgram)];

    private static ProjectFile Load(string path) => new(Path.GetFileNameWithoutExtension(path), path, XDocument.Load(path));

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
