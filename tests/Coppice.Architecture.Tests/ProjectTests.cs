using System.Reflection;
using System.Xml.Linq;

namespace Coppice.Architecture.Tests;

/// <summary>What holds for every project file.</summary>
public sealed class ProjectTests
{
    private static readonly string[] Folders = ["src", "tests", "bench", "samples"];

    private static IEnumerable<ProjectFile> All => Folders.SelectMany(Repository.Projects);

    [Fact]
    public void Every_project_is_in_the_solution()
    {
        var solution = XDocument.Load(Repository.PathOf("Coppice.slnx")).Descendants("Project").Select(p => p.Attribute("Path")!.Value);
        var onDisk = All.Select(p => Path.GetRelativePath(Repository.Root, p.Path).Replace('\\', '/'));

        Assert.Equal(onDisk.Order(StringComparer.Ordinal), solution.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_project_has_its_lock_file() =>
        Assert.All(All, p => Assert.True(File.Exists(Path.Combine(Path.GetDirectoryName(p.Path)!, "packages.lock.json")), p.Name));

    [Fact]
    public void No_project_names_a_version_of_its_own() =>
        Assert.All(All, p => Assert.DoesNotContain(
            p.Xml.Descendants("PackageReference"), e => e.Attribute("Version") is not null || e.Attribute("VersionOverride") is not null));

    [Fact]
    public void No_project_switches_off_what_the_build_keeps()
    {
        string[] kept = ["TreatWarningsAsErrors", "Nullable", "AnalysisLevel", "EnforceCodeStyleInBuild", "Deterministic"];

        Assert.All(All, p => Assert.DoesNotContain(kept, name => p.Property(name) is not null));
        Assert.All(Repository.Projects("src"), p => Assert.Null(p.Property("NoWarn")));
    }

    [Fact]
    public void Every_library_has_its_documentation_and_is_fit_for_ahead_of_time_compilation()
    {
        foreach (var library in Repository.Libraries)
        {
            var assembly = Assembly.Load(library.Name);
            var metadata = assembly.GetCustomAttributes<AssemblyMetadataAttribute>().ToLookup(a => a.Key, a => a.Value);

            Assert.True(File.Exists(Path.ChangeExtension(assembly.Location, ".xml")), $"{library.Name} has no XML documentation.");
            Assert.True(metadata["IsTrimmable"].Contains("True"), $"{library.Name} is not trimmable.");
            Assert.True(metadata["IsAotCompatible"].Contains("True"), $"{library.Name} is not AOT compatible.");
        }
    }

    [Fact]
    public void Every_library_describes_itself() =>
        Assert.All(Repository.Libraries, p => Assert.False(string.IsNullOrWhiteSpace(p.Property("Description")), p.Name));

    [Fact]
    public void No_two_decisions_share_a_number_and_none_is_left_out()
    {
        var numbers = Directory.EnumerateFiles(Repository.PathOf("docs", "decisions"), "*.md")
            .Select(file => Path.GetFileName(file)[..4])
            .Order(StringComparer.Ordinal)
            .ToList();

        Assert.NotEmpty(numbers);
        Assert.Equal(Enumerable.Range(1, numbers.Count).Select(n => n.ToString("D4", null)), numbers);
    }
}
