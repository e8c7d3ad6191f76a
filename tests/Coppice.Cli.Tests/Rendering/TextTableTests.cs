using Coppice.Cli.Rendering;
using Coppice.Cli.Tests.Support;

namespace Coppice.Cli.Tests.Rendering;

public sealed class TextTableTests
{
    [Fact]
    public void Columns_are_aligned_and_lines_end_without_blanks()
    {
        var table = new TextTable(new TextColumn("A"), new TextColumn("N") { RightAligned = true }, new TextColumn("C"));
        table.AddRow(("漢字", Ink.Plain), ("7", Ink.Plain), ("x", Ink.Plain));
        table.AddRow(("b", Ink.Plain), ("123", Ink.Plain), ("", Ink.Plain));

        Assert.Equal("A       N  C\n漢字    7  x\nb     123\n", TestConsole.Render(table.Render(80), 80));
    }

    [Fact]
    public void Where_the_width_does_not_suffice_the_widest_columns_that_may_shrink_do()
    {
        var table = new TextTable(new TextColumn("ID"), new TextColumn("NAME") { MinWidth = 6 }, new TextColumn("ABOUT") { MinWidth = 8 });
        table.AddRow(("bg_1", Ink.Plain), ("a-long-name-indeed", Ink.Plain), ("and a long text", Ink.Plain));
        var lines = TestConsole.Render(table.Render(30), 30).Split('\n');

        Assert.Equal("bg_1  a-long-nam…  and a long…", lines[1]);
        Assert.All(lines, line => Assert.True(line.Length <= 30));
    }

    [Fact]
    public void Where_even_that_does_not_suffice_the_columns_that_need_not_be_there_are_left_out()
    {
        var table = new TextTable(new TextColumn("ID"), new TextColumn("TYPE") { MinWidth = 4, Optional = true }, new TextColumn("NAME") { MinWidth = 6 }, new TextColumn("X") { Optional = true });
        table.AddRow(("bg_1", Ink.Plain), ("folder", Ink.Plain), ("a-long-name", Ink.Plain), ("x", Ink.Plain));

        Assert.Equal("ID    NAME\nbg_1  a-long…\n", TestConsole.Render(table.Render(13), 13));
        Assert.Equal("ID    TYPE  NAME\nbg_1  fol…  a-lon…\n", TestConsole.Render(table.Render(18), 18));
    }
}
