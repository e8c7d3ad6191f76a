using System.Xml.Linq;

namespace Coppice.Architecture.Tests;

/// <summary>What a project file says about its dependencies.</summary>
internal sealed record ProjectFile(string Name, string Path, XDocument Xml)
{
    internal bool IsProgram => Property("OutputType") == "Exe";

    internal IReadOnlyList<string> ProjectReferences =>
        [.. Includes("ProjectReference").Select(p => System.IO.Path.GetFileNameWithoutExtension(p.Replace('\\', '/')))];

    internal IReadOnlyList<string> PackageReferences => [.. Includes("PackageReference")];

    internal IReadOnlyList<string> FrameworkReferences => [.. Includes("FrameworkReference")];

    internal string? Property(string name) => Xml.Descendants(name).LastOrDefault()?.Value;

    private IEnumerable<string> Includes(string item) =>
        Xml.Descendants(item).Select(e => e.Attribute("Include")?.Value).OfType<string>();
}
