namespace Coppice.StoreContract;

/// <summary>Law 8 in the store: which threads have mail that nobody reads.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class UnreadMailContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    [Fact]
    public async Task A_closed_mailbox_with_a_terminal_event_or_a_message_is_listed()
    {
        var host = await JoinAsync();
        var id = await host.AddAsync("ended");
        await host.FinishAsync(id);
        await host.AnswerAsync(new PostMessage("messaged", Mailbag.Message("hello")));
        await host.AddAsync("running");

        Assert.Equal(["ended", "messaged"], (await Store.ListThreadsWithUnreadMailAsync(Stop)).Order());
    }

    [Fact]
    public async Task Custom_events_alone_are_not_listed()
    {
        var host = await JoinAsync();
        var id = await host.AddAsync();
        await host.AnswerAsync(new PostEvents(id, 0, Mailbag.ProgressRange(id, 0, 3)));

        Assert.Empty(await Store.ListThreadsWithUnreadMailAsync(Stop));
    }

    [Fact]
    public async Task An_open_mailbox_is_not_listed_and_one_that_closes_over_mail_is()
    {
        var host = await JoinAsync();
        var reader = await host.OpenAsync("t1");
        await host.AnswerAsync(new PostMessage("t1", Mailbag.Message("hello")));
        Assert.Empty(await Store.ListThreadsWithUnreadMailAsync(Stop));

        await host.AnswerAsync(new CloseMailbox("t1", reader));

        Assert.Equal(["t1"], await Store.ListThreadsWithUnreadMailAsync(Stop));
    }

    [Fact]
    public async Task What_was_read_but_not_acknowledged_is_listed_and_what_was_acknowledged_is_not()
    {
        var host = await JoinAsync();
        await host.AnswerAsync(new PostMessage("t1", Mailbag.Message("1")));
        await host.AnswerAsync(new PostMessage("t1", Mailbag.Message("2")));
        var reader = await host.OpenAsync("t1");
        await Store.ReadAsync("t1", reader);
        await host.AnswerAsync(new AcknowledgeMail("t1", reader, 1));
        await host.AnswerAsync(new CloseMailbox("t1", reader));
        Assert.Equal(["t1"], await Store.ListThreadsWithUnreadMailAsync(Stop));

        reader = await host.OpenAsync("t1");
        await host.AnswerAsync(new AcknowledgeMail("t1", reader, 2));
        await host.AnswerAsync(new CloseMailbox("t1", reader));

        Assert.Empty(await Store.ListThreadsWithUnreadMailAsync(Stop));
    }

    [Fact]
    public async Task A_mailbox_whose_host_is_gone_is_closed()
    {
        var host = await JoinAsync("gone");
        var other = await JoinAsync("other");
        await host.OpenAsync("t1");
        await host.OpenAsync("t2");
        await other.AnswerAsync(new PostMessage("t1", Mailbag.Message("hello")));

        await other.AnswerAsync(new SettleHost(host.Fence));

        Assert.Equal(["t1"], await Store.ListThreadsWithUnreadMailAsync(Stop));
    }

    [Fact]
    public async Task Mail_stays_unread_over_the_end_of_the_process()
    {
        var host = await JoinAsync();
        await host.AnswerAsync(new PostMessage("t1", Mailbag.Message("hello")));
        await host.OpenAsync("t2");
        await host.AnswerAsync(new PostMessage("t2", Mailbag.Message("hello")));
        await host.AnswerAsync(new LeaveHost());

        await ReopenAsync();
        await JoinAsync("next");

        Assert.Equal(["t1", "t2"], (await Store.ListThreadsWithUnreadMailAsync(Stop)).Order());
    }
}
