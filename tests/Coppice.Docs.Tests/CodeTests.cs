namespace Coppice.Docs.Tests;

public sealed class CodeTests
{
    private static readonly List<CodeBlock> Blocks = [.. Pages.All.SelectMany(CodeBlock.Of)];

    public static TheoryData<string> Statements => Named(block => block is { Language: "csharp", IsProgram: false });

    public static TheoryData<string> Programs => Named(block => block.IsProgram);

    [Fact]
    public void The_readme_shows_a_program_of_about_twenty_lines_and_one_of_about_fifteen_for_agents()
    {
        var programs = Blocks.Where(block => block is { Page: "README.md", IsProgram: true }).ToList();

        Assert.Equal(2, programs.Count);
        Assert.InRange(programs[0].Text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length, 15, 25);
        Assert.InRange(programs[1].Text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length, 10, 15);
    }

    [Theory]
    [MemberData(nameof(Statements))]
    public void Statements_on_a_page_compile_without_a_warning(string block) => Assert.Empty(Compiler.Check(Find(block)));

    [Theory]
    [MemberData(nameof(Programs))]
    public async Task A_program_on_a_page_runs_and_prints_what_the_page_says(string name)
    {
        var block = Find(name);
        var next = Blocks.ElementAtOrDefault(Blocks.IndexOf(block) + 1);

        var output = await PageProgram.RunAsync(block, TestContext.Current.CancellationToken);

        if (next is { Language: "text" } && next.Page == block.Page)
        {
            Assert.Equal(next.Text, output);
        }
    }

    private static CodeBlock Find(string name) => Blocks.Single(block => block.Name == name);

    private static TheoryData<string> Named(Func<CodeBlock, bool> wanted) => [.. Blocks.Where(wanted).Select(block => block.Name)];
}
