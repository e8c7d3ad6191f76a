using Coppice.PostgreSql.Tests.Support;

namespace Coppice.PostgreSql.Tests.Tables;

public sealed class OutboxRowsTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private static DateTimeOffset Noon => RowsFixture.Noon;

    [Fact]
    public async Task Only_the_first_of_a_lane_is_due_and_the_next_one_when_it_is_gone()
    {
        await using var rows = await RowsFixture.CreateAsync();
        var outbox = new OutboxRows(rows.Begin());
        Assert.Null(outbox.NextDue());
        var first = outbox.Add(1, 2, RowsFixture.Message("first"), Noon);
        var second = outbox.Add(1, 2, RowsFixture.Message("second"), Noon - Second);
        var third = outbox.Add(1, 2, RowsFixture.Message("third"), Noon - Second);

        Assert.Null(outbox.FindDue(Noon - Second));
        Assert.Equal(new OutboxEntry(first, 1, 2, 0, null, RowsFixture.Message("first")), outbox.FindDue(Noon));

        outbox.Remove(outbox.Find(second)!.Value, Noon);
        Assert.Null(outbox.Find(second));
        Assert.Equal(Noon, outbox.NextDue());
        outbox.Remove(outbox.Find(first)!.Value, Noon + Second);
        Assert.Equal(Noon + Second, outbox.NextDue());
        Assert.Equal(third, outbox.FindDue(Noon + Second)?.Number);
        outbox.Remove(outbox.Find(third)!.Value, Noon + Second);
        Assert.Null(outbox.NextDue());
    }

    [Fact]
    public async Task What_is_due_comes_by_time_and_then_by_number_from_every_lane()
    {
        await using var rows = await RowsFixture.CreateAsync();
        var outbox = new OutboxRows(rows.Begin());
        var late = outbox.Add(3, 1, RowsFixture.Message("late"), Noon + Second);
        var one = outbox.Add(1, 2, RowsFixture.Message("one"), Noon);
        var two = outbox.Add(1, 3, RowsFixture.Message("two"), Noon);
        var early = outbox.Add(2, 1, RowsFixture.Message("early"), Noon - Second);

        var found = new List<long>();
        while (outbox.FindDue(Noon) is { } entry)
        {
            found.Add(entry.Number);
            outbox.Claim(entry.Number, epoch: 5);
        }

        Assert.Equal([early, one, two], found);
        Assert.Equal(Noon + Second, outbox.NextDue());
        Assert.Equal(late, outbox.FindDue(DateTimeOffset.MaxValue)?.Number);
    }

    [Fact]
    public async Task A_claimed_message_holds_its_lane_up_until_it_is_ready_again_or_its_host_is_released()
    {
        await using var rows = await RowsFixture.CreateAsync();
        var outbox = new OutboxRows(rows.Begin());
        var mine = outbox.Add(1, 2, RowsFixture.Message("mine"), Noon);
        var next = outbox.Add(1, 2, RowsFixture.Message("next"), Noon);
        var other = outbox.Add(4, 2, RowsFixture.Message("other"), Noon);

        outbox.Claim(mine, 5);
        outbox.Claim(other, 6);
        Assert.Equal((1, 5L), (outbox.Find(mine)!.Value.Attempts, outbox.Find(mine)!.Value.Claim!.Value));
        Assert.Null(outbox.NextDue());
        Assert.Equal([5, 6], outbox.Claimants().Order());
        outbox.Remove(outbox.Find(next)!.Value, Noon);
        Assert.Null(outbox.NextDue());

        outbox.MakeReady(mine, Noon + Second, attempts: 0);
        Assert.Equal(new OutboxEntry(mine, 1, 2, 0, null, RowsFixture.Message("mine")), outbox.FindDue(Noon + Second));

        outbox.Release(6, Noon - Second);
        outbox.Release(99, Noon);
        Assert.Equal(new OutboxEntry(other, 4, 2, 1, null, RowsFixture.Message("other")), outbox.FindDue(Noon));
        Assert.Empty(outbox.Claimants());
    }

    [Fact]
    public async Task Two_who_look_side_by_side_get_different_messages_and_look_again_at_once()
    {
        await using var rows = await RowsFixture.CreateAsync();
        var first = rows.Begin();
        var outbox = new OutboxRows(first);
        var held = outbox.Add(1, 9, RowsFixture.Message("its sender is held"), Noon);
        var addressed = outbox.Add(3, 1, RowsFixture.Message("its recipient is held"), Noon);
        var free = outbox.Add(4, 5, RowsFixture.Message("free"), Noon);
        first.Commit();
        first.Begin([1, 9]);
        var second = rows.Begin();
        var others = new OutboxRows(second);

        Assert.Equal(free, others.FindDue(Noon)?.Number);
        others.Claim(free, 5);
        Assert.Null(others.FindDue(Noon));
        Assert.Equal(DateTimeOffset.UnixEpoch, others.NextDue());
        Assert.Equal(held, outbox.FindDue(Noon)?.Number);
        outbox.Claim(held, 6);
        first.Commit();
        second.Commit();

        second.Begin([]);
        Assert.Equal(addressed, others.FindDue(Noon)?.Number);
        Assert.Equal(Noon, others.NextDue());
    }

    [Fact]
    public async Task Somebody_else_is_left_some_of_many_that_are_due()
    {
        await using var rows = await RowsFixture.CreateAsync(threads: 60);
        var first = rows.Begin();
        var outbox = new OutboxRows(first);
        var numbers = Enumerable.Range(1, 30).Select(lane => outbox.Add(lane, 30 + lane, RowsFixture.Message("m"), Noon)).ToArray();
        first.Commit();
        first.Begin([]);
        var second = rows.Begin();

        Assert.Equal(numbers[0], outbox.FindDue(Noon)?.Number);
        Assert.Equal(numbers[8], new OutboxRows(second).FindDue(Noon)?.Number);
    }

    [Fact]
    public async Task A_message_is_found_only_with_its_sender_held()
    {
        await using var rows = await RowsFixture.CreateAsync();
        var first = rows.Begin();
        var outbox = new OutboxRows(first);
        var number = outbox.Add(1, 9, RowsFixture.Message("m"), Noon);
        first.Commit();
        first.Begin([1]);
        var second = rows.Begin(2);
        var others = new OutboxRows(second);

        Assert.Equal([1, 2], Assert.Throws<LocksNeededException>(() => others.Find(number)).Threads.Order());
        outbox.Remove(outbox.Find(number)!.Value, Noon);
        first.Commit();
        second.Rollback();
        second.Begin([1, 2]);
        Assert.Null(others.Find(number));
    }

    [Fact]
    public async Task A_release_holds_every_sender_that_it_gives_something_back_to()
    {
        await using var rows = await RowsFixture.CreateAsync();
        var first = rows.Begin();
        var outbox = new OutboxRows(first);
        foreach (var sender in (long[])[3, 1, 2])
        {
            outbox.Claim(outbox.Add(sender, 9, RowsFixture.Message("m"), Noon), 5);
        }

        first.Commit();
        first.Begin([1]);
        var second = rows.Begin(8);
        var others = new OutboxRows(second);

        Assert.Equal([1, 2, 3, 8], Assert.Throws<LocksNeededException>(() => others.Release(5, Noon)).Threads.Distinct().Order());
        second.Rollback();
        first.Commit();
        second.Begin([]);
        others.Release(5, Noon);
        Assert.Equal([1, 2, 3], second.Locked.Order());
        Assert.Empty(others.Claimants());
        Assert.Equal(Noon, others.NextDue());
    }
}
