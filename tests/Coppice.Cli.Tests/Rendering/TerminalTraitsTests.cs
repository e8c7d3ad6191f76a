using Coppice.Cli.Terminal;

namespace Coppice.Cli.Tests.Rendering;

public sealed class TerminalTraitsTests
{
    [Fact]
    public void A_terminal_is_asked_for_its_size()
    {
        var traits = Detect(true, true, []);

        Assert.Equal(new TerminalTraits(true, true, Color: true, 132, 43), traits);
    }

    [Fact]
    public void A_dumb_terminal_gets_no_escapes()
    {
        var traits = Detect(true, true, new() { ["TERM"] = "dumb" });

        Assert.False(traits.OutIsTerminal);
        Assert.False(traits.ErrorIsTerminal);
        Assert.Equal(132, traits.Width);
    }

    [Fact]
    public void No_color_takes_the_colour_and_nothing_else()
    {
        Assert.False(Detect(true, true, new() { ["NO_COLOR"] = "1" }).Color);
        Assert.True(Detect(true, true, new() { ["NO_COLOR"] = "" }).Color);
    }

    [Theory]
    [InlineData("60", 60)]
    [InlineData("0", 132)]
    [InlineData("-5", 132)]
    [InlineData("many", 132)]
    [InlineData("99999999999", 132)]
    public void Columns_counts_where_it_makes_sense(string columns, int width) =>
        Assert.Equal(width, Detect(true, true, new() { ["COLUMNS"] = columns }).Width);

    [Fact]
    public void A_pipe_is_wide_and_not_asked()
    {
        var traits = TerminalTraits.Detect(_ => null, false, false, () => throw new IOException(), () => throw new IOException());

        Assert.Equal(400, traits.Width);
    }

    [Fact]
    public void A_terminal_that_does_not_answer_counts_as_eighty_columns() =>
        Assert.Equal(80, TerminalTraits.Detect(_ => null, true, true, () => throw new IOException(), () => 0).Width);

    private static TerminalTraits Detect(bool output, bool error, Dictionary<string, string> variables) =>
        TerminalTraits.Detect(variables.GetValueOrDefault, output, error, () => 132, () => 43);
}
