using Coppice.Cli.Rendering;

namespace Coppice.Cli.Tests.Rendering;

public sealed class SafeTextTests
{
    [Theory]
    [InlineData("plain é 漢字 🌳", "plain é 漢字 🌳")]
    [InlineData("a\nb\r\tc", "a\\nb\\r\\tc")]
    [InlineData("\u001b[31mred", "\\x1b[31mred")]
    [InlineData("\u009b31m", "\\x9b31m")]
    [InlineData("\u007f\0", "\\x7f\\x00")]
    [InlineData("abc\u202edcba", "abc\\u202edcba")]
    [InlineData("\u2066x\u2069", "\\u2066x\\u2069")]
    [InlineData("zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff")]
    [InlineData("\u2028\u2029", "\\u2028\\u2029")]
    [InlineData("\U000e0041", "\\U000e0041")]
    [InlineData("[bold]x[/]", "[bold]x[/]")]
    public void What_a_terminal_might_act_on_is_shown_as_an_escape(string text, string shown) =>
        Assert.Equal(shown, SafeText.Line(text));

    [Fact]
    public void A_lone_surrogate_becomes_the_replacement_character()
    {
        Assert.Equal("a\ufffdb", SafeText.Line("a\ud800b"));
        Assert.Equal("\ufffd", SafeText.Line("\udc00"));
    }

    [Theory]
    [InlineData("abcdef", 6, "abcdef")]
    [InlineData("abcdef", 5, "abcd…")]
    [InlineData("漢字漢字", 5, "漢字…")]
    [InlineData("abc", 1, "…")]
    [InlineData("abc", 0, "")]
    [InlineData(null, 10, "")]
    public void A_line_is_cut_at_its_width_in_cells(string? text, int cells, string shown) =>
        Assert.Equal(shown, SafeText.Line(text, cells));

    [Fact]
    public void A_million_combining_marks_do_not_make_a_long_line() =>
        Assert.True(SafeText.Line("a" + new string('\u0301', 1_000_000), 20).Length < 200);

    [Fact]
    public void A_block_keeps_its_lines_and_nothing_else() =>
        Assert.Equal(["one", "\\x1b[2Jtwo", "    three"], SafeText.Block("one\r\n\u001b[2Jtwo\n\tthree"));
}
