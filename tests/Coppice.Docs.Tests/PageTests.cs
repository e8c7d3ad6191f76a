using System.Text.RegularExpressions;

namespace Coppice.Docs.Tests;

public sealed partial class PageTests
{
    private static readonly string[] Outline =
        ["What it is", "Use it", "Defaults", "What it emits", "What goes wrong", "What not to do"];

    public static TheoryData<string> All => [.. Pages.All];

    public static TheoryData<string> Guides => [.. Pages.All.Where(p => p.StartsWith("docs/guides/", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(All))]
    public void Every_link_to_a_file_leads_to_one(string page)
    {
        var folder = Path.GetDirectoryName(Path.Combine(Pages.Root, page))!;
        foreach (Match link in Link().Matches(Pages.Read(page)))
        {
            var target = link.Groups["target"].Value.Split('#')[0];
            var isOutside = target.Contains("://", StringComparison.Ordinal) || target.Length == 0;
            Assert.True(isOutside || Path.Exists(Path.GetFullPath(Path.Combine(folder, target))), $"{page} links to {target}");
        }
    }

    [Theory]
    [MemberData(nameof(Guides))]
    public void Every_guide_has_the_same_outline(string page) =>
        Assert.Equal(Outline, Pages.Read(page).Split('\n').Where(l => l.StartsWith("## ", StringComparison.Ordinal)).Select(l => l[3..]));

    [Theory]
    [InlineData("dotnet run -c Release --project src/Coppice.Cli -- survey .")]
    [InlineData("dotnet run -c Release --project samples/ResearchTeam")]
    [InlineData("./test.sh")]
    public void The_readme_names_its_commands_word_for_word(string command) =>
        Assert.Contains($"\n{command}\n", Pages.Read("README.md"), StringComparison.Ordinal);

    [Fact]
    public void Every_guide_reference_page_and_decision_can_be_found_from_the_list_of_pages()
    {
        var index = Pages.Read("docs/README.md");

        Assert.All(
            Pages.All.Where(p => p.StartsWith("docs/", StringComparison.Ordinal) && p != "docs/README.md"),
            page => Assert.Contains($"({page["docs/".Length..]})", index, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_sample_has_a_page_that_can_be_found_from_the_list_of_samples()
    {
        var index = Pages.Read("samples/README.md");
        var samples = Directory.EnumerateFiles(Path.Combine(Pages.Root, "samples"), "*.csproj", SearchOption.AllDirectories)
            .Select(project => Path.GetFileName(Path.GetDirectoryName(project)!)).ToList();

        Assert.NotEmpty(samples);
        Assert.All(samples, sample => Assert.Contains($"]({sample}/README.md)", index, StringComparison.Ordinal));
    }

    [GeneratedRegex(@"\]\((?<target>[^)\s]+)\)")]
    private static partial Regex Link();
}
