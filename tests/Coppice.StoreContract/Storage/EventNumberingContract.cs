namespace Coppice.StoreContract;

/// <summary>Law 8: what a task emits is stored once and in order, however often it is handed in.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class EventNumberingContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    [Fact]
    public async Task Events_that_are_stored_already_are_skipped()
    {
        var host = await JoinAsync();
        var id = await host.AddAsync();

        Assert.Equal(new EventsPosted(3), await host.AnswerAsync(new PostEvents(id, 0, Mailbag.ProgressRange(id, 0, 3))));
        Assert.Equal(new EventsPosted(5), await host.AnswerAsync(new PostEvents(id, 1, Mailbag.ProgressRange(id, 1, 4))));
        Assert.Equal(new EventsPosted(5), await host.AnswerAsync(new PostEvents(id, 0, Mailbag.ProgressRange(id, 0, 5))));

        Assert.Equal([0, 1, 2, 3, 4], await NumbersAsync(host));
    }

    [Theory]
    [InlineData(0, 5)]
    [InlineData(2, 3)]
    [InlineData(3, 2)]
    [InlineData(3, 0)]
    public async Task The_end_brings_only_the_events_that_are_missing_and_comes_after_them(int first, int count)
    {
        var host = await JoinAsync();
        var id = await host.AddAsync();
        await host.AnswerAsync(new PostEvents(id, 0, Mailbag.ProgressRange(id, 0, 3)));

        await host.AnswerAsync(new FinishTask(id, TaskState.Completed) { FirstEvent = first, Events = Mailbag.ProgressRange(id, first, count) });

        var mail = await Store.ReadAllAsync(host, "t1");
        Assert.Equal(Enumerable.Range(0, Math.Max(3, first + count)), mail.SkipLast(1).Select(static item => Mailbag.Number(item.Event)));
        Assert.Equal(new TaskCompleted(id, null), mail[^1].Event);
    }

    [Fact]
    public async Task A_refused_end_posts_nothing()
    {
        var host = await JoinAsync();
        var id = await host.AddAsync();
        await host.FinishAsync(id);

        await host.RefusalAsync(new FinishTask(id, TaskState.Completed) { Events = Mailbag.ProgressRange(id, 0, 3) });

        Assert.Equal([new TaskCompleted(id, null)], (await Store.ReadAllAsync(host, "t1")).Select(static item => item.Event));
    }

    [Fact]
    public async Task Tasks_count_their_events_each_for_itself()
    {
        var host = await JoinAsync();
        var first = await host.AddAsync();
        var second = await host.AddAsync();
        await host.AnswerAsync(new PostEvents(first, 0, Mailbag.ProgressRange(first, 0, 2)));
        await host.AnswerAsync(new PostEvents(second, 0, Mailbag.ProgressRange(second, 0, 2)));
        await host.AnswerAsync(new PostEvents(first, 2, Mailbag.ProgressRange(first, 2, 1)));

        var mail = await Store.ReadAllAsync(host, "t1");
        Assert.Equal([0, 1, 2], NumbersOf(mail, first));
        Assert.Equal([0, 1], NumbersOf(mail, second));
    }

    [Fact]
    public async Task Events_survive_acknowledgement_without_coming_again()
    {
        var host = await JoinAsync();
        var id = await host.AddAsync();
        await host.AnswerAsync(new PostEvents(id, 0, Mailbag.ProgressRange(id, 0, 2)));
        var reader = await host.OpenAsync("t1");
        await host.AnswerAsync(new AcknowledgeMail("t1", reader, 2));

        await host.AnswerAsync(new PostEvents(id, 0, Mailbag.ProgressRange(id, 0, 3)));

        Assert.Equal([2], await NumbersAsync(host));
    }

    [Fact]
    public async Task Unread_events_are_counted_until_they_are_read_where_the_mailbox_is_open()
    {
        var host = await JoinAsync();
        var id = await host.AddAsync();
        var reader = await host.OpenAsync("t1");
        await host.AnswerAsync(new PostEvents(id, 0, Mailbag.ProgressRange(id, 0, 4)));
        await host.AnswerAsync(new PostMessage("t1", Mailbag.Message("not an event")));
        Assert.Equal(4, await Store.CountUnreadEventsAsync("t1", Stop));

        await Store.ReadMailAsync("t1", reader, 0, 3, Stop).Within();

        Assert.Equal(1, await Store.CountUnreadEventsAsync("t1", Stop));
        Assert.Equal(new EventsPosted(2), await host.AnswerAsync(new PostEvents(id, 4, [Mailbag.Progress(id, 4)])));
    }

    [Fact]
    public async Task Unread_events_are_counted_until_they_are_acknowledged_where_the_mailbox_is_closed()
    {
        var host = await JoinAsync();
        var id = await host.AddAsync();
        var reader = await host.OpenAsync("t1");
        await host.AnswerAsync(new PostEvents(id, 0, Mailbag.ProgressRange(id, 0, 4)));
        await Store.ReadAsync("t1", reader);
        Assert.Equal(0, await Store.CountUnreadEventsAsync("t1", Stop));
        await host.AnswerAsync(new AcknowledgeMail("t1", reader, 1));

        await host.AnswerAsync(new CloseMailbox("t1", reader));

        Assert.Equal(3, await Store.CountUnreadEventsAsync("t1", Stop));
        Assert.Equal(0, await Store.CountUnreadEventsAsync("t2", Stop));
    }

    private static IEnumerable<int> NumbersOf(IEnumerable<InboxItem> mail, string taskId) =>
        mail.Select(static item => item.Event).OfType<CustomTaskEvent>().Where(custom => custom.TaskId == taskId).Select(Mailbag.Number);

    private async Task<IEnumerable<int>> NumbersAsync(StoreHost host) =>
        (await Store.ReadAllAsync(host, "t1")).Select(static item => Mailbag.Number(item.Event));
}
