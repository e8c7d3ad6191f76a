using Coppice.PostgreSql.Tests.Support;

namespace Coppice.PostgreSql.Tests.Tables;

public sealed class FailedRowsTests
{
    [Fact]
    public async Task Failed_messages_are_listed_in_order_all_or_those_of_some_numbers_of_the_sender()
    {
        await using var rows = await RowsFixture.CreateAsync();
        var failed = new FailedRows(rows.Begin(), new GrownSenders());
        Add(failed, 1, "a", MessageBox.Outbox);
        Add(failed, 2, "elsewhere");
        Add(failed, 1, "b", MessageBox.Agent);
        Add(failed, 1, "c");

        var all = failed.List(1, null);
        Assert.Equal(["\"a\"", "\"b\"", "\"c\""], all.Select(entry => entry.Json));
        Assert.Equal([MessageBox.Outbox, MessageBox.Agent, MessageBox.Mailbox], all.Select(entry => entry.Box));
        Assert.All(all, entry => Assert.Equal(9, entry.Recipient));
        var elsewhere = failed.List(2, null)[0].Number;
        Assert.Equal([all[0], all[2]], failed.List(1, [all[2].Number, elsewhere, all[0].Number, all[2].Number, long.MaxValue]));
        Assert.Empty(failed.List(1, []));
    }

    [Fact]
    public async Task One_is_forgotten_by_its_number_and_all_by_their_sender()
    {
        await using var rows = await RowsFixture.CreateAsync();
        var failed = new FailedRows(rows.Begin(), new GrownSenders());
        Add(failed, 1, "a");
        Add(failed, 1, "b");
        Add(failed, 1, "c");
        Add(failed, 2, "elsewhere");

        failed.Remove(failed.List(1, null)[1].Number);
        Assert.Equal(["\"a\"", "\"c\""], failed.List(1, null).Select(entry => entry.Json));
        Assert.Equal(2, failed.Clear(1));
        Assert.Equal(0, failed.Clear(1));
        Assert.Single(failed.List(2, null));
    }

    [Fact]
    public async Task The_oldest_beyond_the_limit_are_dropped_of_each_sender_that_got_some()
    {
        await using var rows = await RowsFixture.CreateAsync();
        var grown = new GrownSenders();
        var failed = new FailedRows(rows.Begin(), grown);
        Assert.Equal(0, failed.Trim(0));
        foreach (var name in (string[])["a", "b", "c", "d", "e"])
        {
            Add(failed, 1, name);
            Add(failed, 2, name);
        }

        Add(failed, 3, "few");

        Assert.Equal(6, failed.Trim(2));
        Assert.Equal(["\"d\"", "\"e\""], failed.List(1, null).Select(entry => entry.Json));
        Assert.Equal(["\"d\"", "\"e\""], failed.List(2, null).Select(entry => entry.Json));
        Assert.Single(failed.List(3, null));
        Assert.Equal(0, failed.Trim(0));
        Assert.False(grown.Any);
        Add(failed, 3, "more");
        Assert.Equal(2, failed.Trim(0));
    }

    [Fact]
    public async Task A_sender_that_another_transaction_holds_is_trimmed_the_next_time()
    {
        await using var rows = await RowsFixture.CreateAsync();
        var grown = new GrownSenders();
        var first = rows.Begin();
        var failed = new FailedRows(first, grown);
        Add(failed, 1, "a");
        Add(failed, 2, "a");
        first.Commit();
        failed.Landed();
        first.Begin([1]);
        Add(failed, 1, "b");
        var second = rows.Begin();
        var others = new FailedRows(second, grown);

        Assert.Equal(1, others.Trim(0));
        Assert.True(grown.Any);
        first.Commit();
        failed.Landed();
        Assert.Equal(2, others.Trim(0));
        Assert.False(grown.Any);
    }

    [Fact]
    public async Task What_was_trimmed_in_a_transaction_that_is_taken_back_is_trimmed_again()
    {
        await using var rows = await RowsFixture.CreateAsync();
        var grown = new GrownSenders();
        var connection = rows.Begin();
        var failed = new FailedRows(connection, grown);
        Add(failed, 1, "a");
        connection.Commit();
        failed.Landed();
        connection.Begin([]);

        Assert.Equal(1, failed.Trim(0));
        connection.Rollback();
        failed.TakenBack();
        connection.Begin([]);
        Assert.Equal(1, failed.Trim(0));
        connection.Commit();
        failed.Landed();
        failed.TakenBack();
        Assert.False(grown.Any);
    }

    private static void Add(FailedRows failed, long sender, string name, MessageBox box = MessageBox.Mailbox) =>
        failed.Add(sender, 9, box, 0, 1, RowsFixture.Noon, $"\"{name}\"", "It failed.");
}
