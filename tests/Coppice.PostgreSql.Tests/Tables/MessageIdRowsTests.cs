using Coppice.PostgreSql.Tests.Support;

namespace Coppice.PostgreSql.Tests.Tables;

public sealed class MessageIdRowsTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private static DateTimeOffset Noon => RowsFixture.Noon;

    [Fact]
    public async Task An_id_is_found_in_the_mailbox_first_and_where_only_that_counts_nowhere_else()
    {
        await using var rows = await RowsFixture.CreateAsync();
        var ids = new MessageIdRows(rows.Begin());
        ids.Add(1, RowsFixture.Message("a"), MessageBox.Outbox, 40, Hour);

        Assert.Equal((40, MessageBox.Outbox), ids.Find(1, "a", Noon, onlyMailbox: false));
        Assert.Null(ids.Find(1, "a", Noon, onlyMailbox: true));
        Assert.Null(ids.Find(2, "a", Noon, onlyMailbox: false));
        Assert.Null(ids.Find(1, "A", Noon, onlyMailbox: false));

        ids.Add(1, RowsFixture.Message("a"), MessageBox.Mailbox, 3, Hour);
        Assert.Equal((3, MessageBox.Mailbox), ids.Find(1, "a", Noon, onlyMailbox: false));
        Assert.Equal((3, MessageBox.Mailbox), ids.Find(1, "a", Noon, onlyMailbox: true));
    }

    [Fact]
    public async Task An_id_is_kept_as_long_as_was_said_from_the_end_of_its_message_and_can_be_taken_again_after()
    {
        await using var rows = await RowsFixture.CreateAsync();
        var ids = new MessageIdRows(rows.Begin());
        ids.Add(1, RowsFixture.Message("a", Noon), MessageBox.Mailbox, 3, Hour);
        Assert.NotNull(ids.Find(1, "a", Noon + (1000 * Hour), onlyMailbox: true));

        ids.End(1, "a", MessageBox.Outbox, Noon);
        ids.End(1, "a", MessageBox.Mailbox, Noon);
        Assert.NotNull(ids.Find(1, "a", Noon + Hour - TimeSpan.FromMilliseconds(1), onlyMailbox: true));
        Assert.Null(ids.Find(1, "a", Noon + Hour, onlyMailbox: true));
        Assert.Empty(ids.ExpiredIn(1, 0, 9, Noon));
        Assert.Empty(ids.Expired(Noon, 9));

        ids.Add(1, RowsFixture.Message("a"), MessageBox.Mailbox, 8, Hour);
        Assert.Equal((8, MessageBox.Mailbox), ids.Find(1, "a", Noon + (1000 * Hour), onlyMailbox: true));
        Assert.Equal(0, ids.Forget(DateTimeOffset.MaxValue, 9));

        ids.Add(1, RowsFixture.Message("for ever"), MessageBox.Outbox, 1, TimeSpan.MaxValue);
        ids.End(1, "for ever", MessageBox.Outbox, DateTimeOffset.MaxValue);
        Assert.NotNull(ids.Find(1, "for ever", DateTimeOffset.MaxValue, onlyMailbox: false));
    }

    [Fact]
    public async Task What_is_acknowledged_ends_up_to_its_place_in_the_mailbox_alone()
    {
        await using var rows = await RowsFixture.CreateAsync();
        var ids = new MessageIdRows(rows.Begin());
        ids.Add(1, RowsFixture.Message("read"), MessageBox.Mailbox, 3, Hour);
        ids.Add(1, RowsFixture.Message("unread"), MessageBox.Mailbox, 4, Hour);
        ids.Add(1, RowsFixture.Message("unsent"), MessageBox.Outbox, 2, Hour);
        ids.Add(2, RowsFixture.Message("elsewhere"), MessageBox.Mailbox, 1, Hour);

        ids.EndThrough(1, 3, Noon);
        ids.EndThrough(1, 3, Noon + Hour);

        Assert.Equal(1, ids.Forget(Noon + Hour, 9));
        Assert.Null(ids.Find(1, "read", Noon, onlyMailbox: false));
        Assert.NotNull(ids.Find(1, "unread", DateTimeOffset.MaxValue, onlyMailbox: false));
        Assert.NotNull(ids.Find(1, "unsent", DateTimeOffset.MaxValue, onlyMailbox: false));
        Assert.NotNull(ids.Find(2, "elsewhere", DateTimeOffset.MaxValue, onlyMailbox: false));
    }

    [Fact]
    public async Task Expired_messages_of_a_mailbox_come_by_place_and_those_of_all_by_time()
    {
        await using var rows = await RowsFixture.CreateAsync();
        var ids = new MessageIdRows(rows.Begin());
        ids.Add(1, RowsFixture.Message("a", Noon), MessageBox.Mailbox, 5, Hour);
        ids.Add(1, RowsFixture.Message("b", Noon - Hour), MessageBox.Mailbox, 6, Hour);
        ids.Add(1, RowsFixture.Message("c", Noon + Hour), MessageBox.Mailbox, 7, Hour);
        ids.Add(1, RowsFixture.Message("d"), MessageBox.Mailbox, 8, Hour);
        ids.Add(2, RowsFixture.Message("e", Noon), MessageBox.Outbox, 4, Hour);

        Assert.Equal(["a", "b"], Names(ids.ExpiredIn(1, 0, 9, Noon)));
        Assert.Equal(["b"], Names(ids.ExpiredIn(1, 5, 6, Noon)));
        Assert.Equal(
            [new(1, "b", MessageBox.Mailbox, 6), new(2, "e", MessageBox.Outbox, 4), new(1, "a", MessageBox.Mailbox, 5)], ids.Expired(Noon, 9));
        Assert.Equal(["b", "e"], Names(ids.Expired(Noon, 2)));
        Assert.Empty(ids.Expired(Noon - Hour - TimeSpan.FromMilliseconds(1), 9));
    }

    [Fact]
    public async Task Ids_are_forgotten_at_their_time_and_no_more_at_once_than_asked_for()
    {
        await using var rows = await RowsFixture.CreateAsync();
        var ids = new MessageIdRows(rows.Begin());
        for (var thread = 1; thread <= 5; thread++)
        {
            ids.Add(thread, RowsFixture.Message("a"), MessageBox.Mailbox, 1, thread * Hour);
            ids.End(thread, "a", MessageBox.Mailbox, Noon);
        }

        Assert.Equal(0, ids.Forget(Noon, 9));
        Assert.Equal(2, ids.Forget(Noon + (4 * Hour), 2));
        Assert.Equal(2, ids.Forget(Noon + (4 * Hour), 9));
        Assert.Null(ids.Find(4, "a", Noon, onlyMailbox: true));
        Assert.NotNull(ids.Find(5, "a", Noon, onlyMailbox: true));
    }

    [Fact]
    public async Task What_another_transaction_holds_is_left_out_and_comes_with_the_next_look()
    {
        await using var rows = await RowsFixture.CreateAsync();
        var first = rows.Begin();
        var ids = new MessageIdRows(first);
        for (var thread = 1; thread <= 3; thread++)
        {
            ids.Add(thread, RowsFixture.Message("expires", Noon), MessageBox.Mailbox, thread, Hour);
            ids.Add(thread, RowsFixture.Message("is done with"), MessageBox.Mailbox, 9, Hour);
            ids.End(thread, "is done with", MessageBox.Mailbox, Noon);
        }

        first.Commit();
        first.Begin([2]);
        var second = rows.Begin();
        var others = new MessageIdRows(second);

        Assert.Equal([1, 3], others.Expired(Noon, 9).Select(waiting => waiting.Thread));
        Assert.Equal(2, others.Forget(Noon + Hour, 9));
        Assert.True(second.HasSkipped);
        second.Commit();
        first.Commit();
        second.Begin([]);
        Assert.Equal([1, 2, 3], others.Expired(Noon, 9).Select(waiting => waiting.Thread));
        Assert.Equal(1, others.Forget(Noon + Hour, 9));
        Assert.False(second.HasSkipped);
    }

    private static IEnumerable<string> Names(IEnumerable<WaitingMessage> waiting) => waiting.Select(message => message.Id);
}
