using Coppice.StoreContract;

namespace Coppice.PostgreSql.Tests.News;

/// <summary>News as text: what is written is read back, and nothing else is believed.</summary>
public sealed class NewsTextTests
{
    private const string Letters = "0123456789,: CEMOLWFJXDn-\uD800\0ä";

    private static readonly NewsItem[] Samples =
    [
        NewsItem.OfDropped(),
        NewsItem.OfCancel(7, "bg_12"),
        NewsItem.OfEnded("an id of its own: 12:34,\u2028 \U0001F333 '"),
        NewsItem.OfMail(long.MaxValue, "t 1", wakes: true, hasReader: false),
        NewsItem.OfMail(1, "t", wakes: false, hasReader: true),
        NewsItem.OfOpened(3, "t,1:"),
        NewsItem.OfLeftUnread(4, "5:five"),
        NewsItem.OfWork("kind", null),
        NewsItem.OfWork("kind", DateTimeOffset.UnixEpoch),
        NewsItem.OfWork("kind", DateTimeOffset.FromUnixTimeMilliseconds(-1)),
        NewsItem.OfFenced(new HostFence("machine/1", 9)),
        NewsItem.OfJoined(10),
        NewsItem.OfEmitted(11, (1L << 60) - 1, 77, """{"a":"12:\u00e4"}"""),
        NewsItem.OfChange(12, TaskChangeKind.Restored, 0),
    ];

    [Fact]
    public void An_id_as_long_as_may_be_fits_a_notification()
    {
        var id = new string('\u4E00', 1365) + "x";
        NewsItem[] items = [NewsItem.OfMail(long.MinValue, id, wakes: true, hasReader: true), NewsItem.OfWork(id, DateTimeOffset.MaxValue), NewsItem.OfEnded(id)];

        var pages = NewsText.Write(long.MinValue, long.MaxValue - 9, items);

        Assert.All(pages, static page => Assert.InRange(System.Text.Encoding.UTF8.GetByteCount(page), 1, 7999));
        Assert.Equal(items, pages.SelectMany(static page => Read(page).Items));
    }

    [Fact]
    public void What_is_written_is_read_back()
    {
        var page = Read(Assert.Single(NewsText.Write(-5, 3, Samples)));

        Assert.Equal((-5L, 3L), (page.Process, page.Number));
        Assert.Equal(Samples, page.Items);
        Assert.Equal(TaskChangeKind.Emitted, page.Items[12].Change);
        Assert.Equal(((1L << 60) - 1, 77L), (page.Items[12].Task, page.Items[12].Sequence));
        Assert.Equal(DateTimeOffset.UnixEpoch, page.Items[8].At);
        Assert.Null(page.Items[7].At);
    }

    [Fact]
    public void A_number_beyond_two_to_the_sixty_is_kept_too()
    {
        var item = NewsItem.OfChange(1, TaskChangeKind.Ended, (1L << 60) + 5);

        Assert.Equal(((1L << 60) + 5, TaskChangeKind.Ended), (item.Task, item.Change));
    }

    [Fact]
    public void Much_news_goes_on_pages_that_fit_and_are_numbered_without_gaps()
    {
        var items = Enumerable.Range(0, 2_000).Select(static i => NewsItem.OfEnded($"{i} " + new string('ä', i % 128))).ToList();

        var pages = NewsText.Write(1, 41, items);

        Assert.All(pages, static page => Assert.InRange(System.Text.Encoding.UTF8.GetByteCount(page), 1, 7999));
        var read = pages.Select(Read).ToList();
        Assert.Equal(Enumerable.Range(41, pages.Count).Select(static number => (long)number), read.Select(static page => page.Number));
        Assert.Equal(items, read.SelectMany(static page => page.Items));
    }

    [Fact]
    public void The_longest_items_fit()
    {
        var item = NewsItem.OfEmitted(long.MaxValue, (1L << 60) - 1, long.MaxValue, new string('€', NewsText.MaxJsonBytes / 3));

        Assert.All(NewsText.Write(long.MinValue, long.MaxValue - 2, [item, item]), static page =>
            Assert.InRange(System.Text.Encoding.UTF8.GetByteCount(page), 1, 7999));
    }

    [Theory]
    [InlineData("")]
    [InlineData("hello")]
    [InlineData("n1 ")]
    [InlineData("n2 1 1 E0,0,1:a0:")]
    [InlineData("n1 1 0 ")]
    [InlineData("n1 1 -1 ")]
    [InlineData("n1 1 1 Z0,0,1:a0:")]
    [InlineData("n1 1 1 E")]
    [InlineData("n1 1 1 E0,0,2:a0:")]
    [InlineData("n1 1 1 E0,0,-1:0:")]
    [InlineData("n1 1 1 E0,0,99999999999999999999:a0:")]
    [InlineData("n1 1 1 E0,0,0:0:")]
    [InlineData("n1 1 1 E0,0,1:a")]
    [InlineData("n1 1 1 E0,0,1:a0:E")]
    [InlineData("n1 1 1 W9223372036854775807,1,1:k0:")]
    [InlineData("n1 1 1 X1,7,0:0:")]
    [InlineData("n1 1 1 X1,7,1:60:")]
    [InlineData("n1 1 1 X1,7,1:/0:")]
    [InlineData("n1 1 1 X1,7,1:02:{}")]
    [InlineData("n1 1 1 X1,7,2:010:")]
    [InlineData("n1 1 1 X1,7,1:30:")]
    [InlineData("n1 1 1 X1,7,3:3-10:")]
    public void What_is_no_page_is_not_read(string text) => Assert.False(NewsText.TryRead(text, out _));

    [Fact]
    public void Pages_with_something_changed_in_them_are_read_or_refused_and_harm_nobody()
    {
        var random = new Random(RandomSeed.Draw());
        var whole = Assert.Single(NewsText.Write(1, 1, Samples));
        for (var i = 0; i < 20_000; i++)
        {
            var text = whole.ToCharArray();
            for (var changes = random.Next(1, 4); changes > 0; changes--)
            {
                text[random.Next(text.Length)] = Letters[random.Next(Letters.Length)];
            }

            if (NewsText.TryRead(new string(text, 0, random.Next(text.Length + 1)), out var page))
            {
                Assert.All(page.Items, static item => Assert.True(item.Kind != NewsKind.Work || item.At is null || item.At.Value.Year > 0));
            }
        }
    }

    private static NewsPage Read(string text)
    {
        Assert.True(NewsText.TryRead(text, out var page), text);
        return page;
    }
}
