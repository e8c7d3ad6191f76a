namespace Coppice.PostgreSql.Tests.News;

/// <summary>The parts that news passes through: what waits to be sent, what was heard before, who is chosen, how long to wait.</summary>
public sealed class NewsPartsTests
{
    private static readonly DateTimeOffset Noon = new(2030, 1, 2, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Work_of_a_kind_waits_once_with_its_earliest_time_and_once_for_at_once()
    {
        var queue = new NewsQueue();

        queue.Add([NewsItem.OfWork("a", Noon), NewsItem.OfWork("b", null), NewsItem.OfWork("a", Noon.AddHours(-1)), NewsItem.OfWork("a", Noon.AddHours(1))]);
        queue.Add([NewsItem.OfWork("b", null), NewsItem.OfWork("a", null)]);

        Assert.Equal([NewsItem.OfWork("a", Noon.AddHours(-1)), NewsItem.OfWork("b", null), NewsItem.OfWork("a", null)], queue.Take());
        Assert.Empty(queue.Take());
    }

    [Fact]
    public void Mail_of_a_thread_waits_once_and_wakes_if_any_of_it_does()
    {
        var queue = new NewsQueue();

        queue.Add([NewsItem.OfMail(1, "t", wakes: true, hasReader: true), NewsItem.OfMail(1, "t", wakes: false, hasReader: true), NewsItem.OfMail(2, "t", false, true)]);

        Assert.Equal([NewsItem.OfMail(1, "t", wakes: true, hasReader: true), NewsItem.OfMail(2, "t", false, true)], queue.Take());
    }

    [Fact]
    public void When_too_much_waits_it_is_dropped_and_that_is_what_is_sent()
    {
        var queue = new NewsQueue(most: 10);

        queue.Add(Enumerable.Range(0, 11).Select(static i => NewsItem.OfEnded($"bg_{i}")));
        queue.Add([NewsItem.OfEnded("bg_11")]);

        Assert.Equal([NewsItem.OfDropped(), NewsItem.OfEnded("bg_11")], queue.Take());
    }

    [Fact]
    public void A_page_is_the_next_or_was_heard_or_comes_after_a_gap()
    {
        var heard = new HeardProcess();

        Assert.Equal(PagePlace.Next, heard.Take(41, "a"));
        Assert.Equal(PagePlace.Next, heard.Take(42, "b"));
        Assert.Equal(PagePlace.Again, heard.Take(41, "a"));
        Assert.Equal(PagePlace.Again, heard.Take(42, "b"));
        Assert.Equal(PagePlace.Next, heard.Take(43, "c"));
        Assert.Equal(PagePlace.AfterGap, heard.Take(45, "e"));
        Assert.Equal(PagePlace.Next, heard.Take(46, "f"));
    }

    [Fact]
    public void A_page_with_a_number_that_was_heard_and_another_text_comes_after_a_gap()
    {
        var heard = new HeardProcess();
        heard.Take(1, "a");
        heard.Take(50, "from somebody else");

        Assert.Equal(PagePlace.AfterGap, heard.Take(2, "b"));
        Assert.Equal(PagePlace.Next, heard.Take(3, "c"));
    }

    [Fact]
    public void Every_process_chooses_the_same_host_whatever_the_order_and_the_others_keep_theirs_when_one_goes()
    {
        long[] epochs = [1, 2, 5, 9];
        var threads = Enumerable.Range(0, 1_000).Select(static i => $"thread {i}").ToList();

        var chosen = threads.ToDictionary(static thread => thread, thread => Rendezvous.Choose(thread, epochs)!.Value);

        Assert.All(threads, thread => Assert.Equal(chosen[thread], Rendezvous.Choose(thread, epochs.Reverse())));
        Assert.All(epochs, epoch => Assert.InRange(chosen.Count(each => each.Value == epoch), 150, 350));
        Assert.All(threads.Where(thread => chosen[thread] != 5), thread => Assert.Equal(chosen[thread], Rendezvous.Choose(thread, epochs.Except([5L]))));
        Assert.Null(Rendezvous.Choose("t", []));
    }

    [Fact]
    public void The_pauses_grow_from_50_milliseconds_to_5_seconds_and_begin_anew_after_a_success()
    {
        var backoff = new Backoff();

        var pauses = Enumerable.Range(0, 100).Select(_ => backoff.Next()).ToList();
        backoff.Reset();

        for (var i = 0; i < pauses.Count; i++)
        {
            var due = TimeSpan.FromMilliseconds(Math.Min(5_000, 50 * Math.Pow(2, i)));
            Assert.InRange(pauses[i], due / 2, due);
        }

        Assert.InRange(backoff.Next(), TimeSpan.FromMilliseconds(25), TimeSpan.FromMilliseconds(50));
    }

    [Fact]
    public void A_reader_that_was_let_in_later_does_not_lose_what_an_earlier_one_lost()
    {
        var readers = new OwnReaders();
        var (first, second) = (Guid.NewGuid(), Guid.NewGuid());
        readers.Note("t", 1, first);
        readers.Note("t", 1, second);

        readers.Lost("t", first);
        Assert.Equal(second, Assert.Single(readers.All()).Reader);

        readers.Lost("t", second);
        Assert.Empty(readers.All());
    }
}
