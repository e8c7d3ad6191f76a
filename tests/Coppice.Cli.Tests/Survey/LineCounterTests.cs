using System.Text;
using Coppice.Cli.Survey;
using Coppice.Cli.Tests.Support;

namespace Coppice.Cli.Tests.Survey;

public sealed class LineCounterTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("", 0)]
    [InlineData("one", 1)]
    [InlineData("one\n", 1)]
    [InlineData("one\ntwo", 2)]
    [InlineData("\n\n\n", 3)]
    [InlineData("a\r\nb\r\n", 2)]
    public void Lines_are_counted_with_or_without_a_line_end_at_the_end(string text, long lines) =>
        Assert.Equal(new FileLines(IsText: true, lines), Count(Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void A_NUL_anywhere_makes_a_file_binary()
    {
        Assert.False(Count([1, 2, 0, 3]).IsText);
        Assert.False(Count([.. Enumerable.Repeat((byte)'\n', 500_000), 0]).IsText);
    }

    [Fact]
    public void A_file_larger_than_the_buffer_is_counted_whole()
    {
        var text = string.Concat(Enumerable.Repeat(new string('x', 999) + "\n", 1000)) + "tail";

        Assert.Equal(new FileLines(IsText: true, 1001), Count(Encoding.ASCII.GetBytes(text)));
    }

    [Fact]
    public void No_more_is_read_than_asked_for()
    {
        var path = _folder.File("f", "a\nb\nc\nd\n");

        Assert.Equal(2, LineCounter.Count(path, 4, TestContext.Current.CancellationToken).Lines);
    }

    [Fact]
    public void A_cancelled_survey_reads_no_further() =>
        Assert.Throws<OperationCanceledException>(() => LineCounter.Count(_folder.File("f", "x"), 10, new CancellationToken(canceled: true)));

    private FileLines Count(byte[] content) =>
        LineCounter.Count(_folder.File("f", content), long.MaxValue, TestContext.Current.CancellationToken);
}
