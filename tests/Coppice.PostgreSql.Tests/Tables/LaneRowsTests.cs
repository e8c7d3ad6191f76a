using Coppice.PostgreSql.Tests.Support;

namespace Coppice.PostgreSql.Tests.Tables;

public sealed class LaneRowsTests
{
    private static readonly KindClaim Any = new("k");

    [Fact]
    public async Task A_lane_is_numbered_by_its_kind_and_its_thread_and_a_store_holds_only_so_many()
    {
        await using var fixture = await WorkFixture.CreateAsync();
        var lanes = fixture.One.Lanes;
        const long LastThread = (1L << 40) - 1;
        const long LastKind = (1L << 23) - 1;

        var lane = lanes.NumberOf(LastKind, LastThread);

        Assert.Equal(long.MaxValue, lane);
        Assert.Equal((LastKind, LastThread), (lanes.KindOf(lane), LaneRows.ThreadOf(lane)));
        Assert.Contains("threads", Assert.Throws<OverflowException>(() => lanes.NumberOf(1, LastThread + 1)).Message, StringComparison.Ordinal);
        Assert.Contains("kinds", Assert.Throws<OverflowException>(() => lanes.NumberOf(LastKind + 1, 1)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_lane_is_one_object_and_reads_as_it_was_saved()
    {
        await using var fixture = await WorkFixture.CreateAsync();
        await fixture.AddThreadsAsync(1);
        fixture.One.Begin();
        var lane = fixture.One.SetLane(7, 1, ready: 2, running: 1, priority: -3, version: 4, turn: 5);
        Assert.Same(lane, fixture.One.Lanes.Head(lane.Number));
        Assert.Equal([lane], fixture.One.Lanes.Changed);
        Assert.Equal(0, await fixture.CountAsync("lanes"));
        fixture.One.Commit();
        Assert.Empty(fixture.One.Lanes.Changed);

        fixture.Other.Begin();
        var read = fixture.Other.Lanes.Head(lane.Number);

        Assert.Equal((2, 1, -3, 4, 5L), (read.Ready, read.Running, read.Priority, read.Version, read.Turn));
        Assert.True(fixture.Other.Lanes.HasRoom(read, 2));
        Assert.False(fixture.Other.Lanes.HasRoom(read, 1));
        Assert.Equal([1L], fixture.Other.Connection.Locked);
        fixture.Other.SetLane(7, 1, ready: 0);
        fixture.Other.Lanes.Save();
        fixture.Other.SetLane(7, 1, ready: 1);
        fixture.Other.Lanes.Save();
        fixture.Other.SetLane(7, 1, ready: 0);
        fixture.Other.Commit();
        Assert.Equal(0, await fixture.CountAsync("lanes"));
    }

    [Fact]
    public async Task A_lane_that_comes_and_goes_is_never_written()
    {
        await using var fixture = await WorkFixture.CreateAsync();
        await fixture.AddThreadsAsync(1);
        fixture.One.Begin();
        fixture.One.SetLane(7, 1, ready: 1);
        fixture.One.SetLane(7, 1, ready: 0);
        fixture.One.Commit();

        Assert.Equal(0, await fixture.CountAsync("lanes"));
        Assert.Empty(fixture.One.Lanes.Changed);
    }

    [Fact]
    public async Task What_was_changed_since_the_mark_is_taken_back_and_what_was_changed_before_it_stays()
    {
        await using var fixture = await WorkFixture.CreateAsync();
        await fixture.AddThreadsAsync(1);
        fixture.One.Begin();
        var lane = fixture.One.SetLane(7, 1, ready: 1).Number;
        fixture.One.Mark();
        fixture.One.SetLane(7, 1, ready: 9);

        fixture.One.RollbackToMark();

        Assert.Equal(1, fixture.One.Lanes.Head(lane).Ready);
        fixture.One.Rollback();
    }

    [Fact]
    public async Task Lanes_stand_by_priority_and_turn_or_by_turn_alone_and_those_without_room_are_left_out()
    {
        await using var fixture = await WorkFixture.CreateAsync();
        await fixture.AddThreadsAsync(7);
        fixture.One.Begin();
        fixture.One.SetLane(7, 1, ready: 1, priority: 0, turn: 3);
        fixture.One.SetLane(7, 2, ready: 1, priority: 5, turn: 4);
        fixture.One.SetLane(7, 3, ready: 1, priority: 0, turn: 2);
        fixture.One.SetLane(7, 4, ready: 1, turn: 1, version: 2);
        fixture.One.SetLane(7, 5, ready: 1, turn: 1, running: 2);
        fixture.One.SetLane(7, 6, ready: 0, turn: 1, running: 1);
        fixture.One.SetLane(8, 7, ready: 1, turn: 1);
        var claim = Any with { MaxRunningPerThread = 2 };
        Assert.Empty(fixture.One.Lanes.Stored(7, claim, byAge: false, 10));
        fixture.One.Commit();

        fixture.One.Begin();

        Assert.Equal([2, 3, 1], Threads(fixture.One.Lanes.Stored(7, claim, byAge: false, 10)));
        Assert.Equal([3, 1, 2], Threads(fixture.One.Lanes.Stored(7, claim, byAge: true, 10)));
        Assert.Equal([3, 1], Threads(fixture.One.Lanes.Stored(7, claim, byAge: true, 2)));
        Assert.False(fixture.One.Connection.HasSkipped);
        fixture.One.Rollback();
    }

    [Fact]
    public async Task Lanes_of_threads_that_another_host_holds_are_passed_over_for_those_behind_them()
    {
        await using var fixture = await WorkFixture.CreateAsync();
        await fixture.AddThreadsAsync(6);
        fixture.One.Begin();
        for (var thread = 1; thread <= 6; thread++)
        {
            fixture.One.SetLane(7, thread, ready: 1, turn: thread);
        }

        fixture.One.Commit();
        fixture.One.Begin();
        Assert.Equal([1, 2], Threads(fixture.One.Lanes.Stored(7, Any, byAge: false, 2)));
        fixture.One.SetLane(7, 2, ready: 0);

        fixture.Other.Begin();

        Assert.Equal([3, 4], Threads(fixture.Other.Lanes.Stored(7, Any, byAge: false, 2)));
        Assert.True(fixture.Other.Connection.HasSkipped);
        fixture.One.Commit();
        Assert.Equal([1, 3, 4, 5, 6], Threads(fixture.Other.Lanes.Stored(7, Any, byAge: false, 10)));
        fixture.Other.Rollback();
    }

    private static IEnumerable<int> Threads(IEnumerable<long> lanes) => lanes.Select(lane => (int)LaneRows.ThreadOf(lane));
}
