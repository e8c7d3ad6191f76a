using System.Reflection;

namespace Coppice.Architecture.Tests;

/// <summary>Which project may know which. Arrows point at the core; the command stands on top.</summary>
public sealed class ReferenceTests
{
    private const string Core = "Coppice";
    private const string Command = "Coppice.Cli";

    private static readonly string[] Stores = ["Coppice.Sqlite", "Coppice.PostgreSql"];

    private static readonly string[] DoorPackages =
        ["Microsoft.Extensions.AI", "ModelContextProtocol", "Microsoft.AspNetCore", "OpenAI", "Spectre.Console", "System.CommandLine"];

    [Fact]
    public void The_core_references_no_project()
    {
        var core = Assert.Single(Repository.Libraries, p => p.Name == Core);

        Assert.Empty(core.ProjectReferences);
        Assert.Empty(core.FrameworkReferences);
    }

    [Fact]
    public void The_core_has_only_the_extensions_abstractions_options_and_polly_core()
    {
        var core = Assert.Single(Repository.Libraries, p => p.Name == Core);

        Assert.All(core.PackageReferences, package => Assert.True(IsAllowedInCore(package), package));
    }

    [Fact]
    public void The_compiled_core_refers_to_nothing_else_either()
    {
        var referenced = Assembly.Load(Core).GetReferencedAssemblies().Select(a => a.Name!);

        Assert.All(referenced, name => Assert.True(
            name == "System" || name.StartsWith("System.", StringComparison.Ordinal) || IsAllowedInCore(name), name));
    }

    [Fact]
    public void Every_other_library_depends_on_the_core_only()
    {
        foreach (var library in Repository.Libraries.Where(p => p.Name != Core))
        {
            Assert.True(library.ProjectReferences is [Core], $"{library.Name} references {string.Join(", ", library.ProjectReferences)}");
        }
    }

    [Fact]
    public void Stores_know_nothing_of_agents_web_or_the_command()
    {
        foreach (var store in Repository.Libraries.Where(p => Stores.Contains(p.Name)))
        {
            Assert.Empty(store.FrameworkReferences);
            Assert.DoesNotContain(
                store.PackageReferences, package => DoorPackages.Any(door => package.StartsWith(door, StringComparison.Ordinal)));
        }
    }

    [Fact]
    public void What_stores_of_rows_share_is_compiled_into_each_knows_none_and_shows_nothing()
    {
        var shared = typeof(ReferenceTests).Assembly.GetTypes().Where(type => type.Namespace == "Coppice.Rows").ToList();

        Assert.Contains(shared, type => type.Name == "IRowStore");
        Assert.DoesNotContain(shared, type => type.IsVisible);
        Assert.Equal(["Coppice.Rows"], Directory.EnumerateFiles(Repository.PathOf("src", "Shared", "Rows"), "*.cs", SearchOption.AllDirectories)
            .Select(file => File.ReadLines(file).First(line => line.StartsWith("namespace ", StringComparison.Ordinal))[10..^1]).Distinct());
        Assert.All(Repository.Libraries.Where(p => Stores.Contains(p.Name)), store => Assert.Contains(
            "../Shared/Rows/**/*.cs", store.Xml.Descendants("Compile").Select(e => e.Attribute("Include")?.Value)));
    }

    [Fact]
    public void The_command_stands_on_top_and_nobody_in_src_references_it()
    {
        Assert.All(Repository.Projects("src"), p => Assert.DoesNotContain(Command, p.ProjectReferences));
        Assert.All(Repository.Projects("src").Where(p => p.IsProgram), p => Assert.Equal(Command, p.Name));
    }

    [Fact]
    public void Nothing_in_src_references_tests_benchmarks_or_samples()
    {
        var sources = Repository.Projects("src").Select(p => p.Name).ToHashSet();

        Assert.All(Repository.Projects("src").SelectMany(p => p.ProjectReferences), name => Assert.Contains(name, sources));
    }

    private static bool IsAllowedInCore(string name) =>
        name is "Polly.Core" or "Microsoft.Extensions.Options"
        || (name.StartsWith("Microsoft.Extensions.", StringComparison.Ordinal) && name.EndsWith(".Abstractions", StringComparison.Ordinal));
}
