using Coppice.PostgreSql.Tests.Support;

namespace Coppice.PostgreSql.Tests.Tables;

public sealed class KindRowsTests
{
    [Fact]
    public async Task A_kind_has_one_number_and_one_name()
    {
        await using var fixture = await WorkFixture.CreateAsync();
        fixture.One.Begin();
        Assert.Null(fixture.One.Kinds.Find("mail"));
        var mail = fixture.One.Kinds.Ensure("mail");
        var upper = fixture.One.Kinds.Ensure("Mail");
        fixture.One.Commit();

        fixture.Other.Begin();

        Assert.NotEqual(mail, upper);
        Assert.Equal(mail, fixture.Other.Kinds.Find("mail"));
        Assert.Equal(mail, fixture.Other.Kinds.Ensure("mail"));
        Assert.Equal("Mail", fixture.Other.Kinds.NameOf(upper));
        fixture.Other.Rollback();
    }

    [Fact]
    public async Task Two_hosts_that_bring_a_kind_at_the_same_time_have_one_number_for_it()
    {
        await using var fixture = await WorkFixture.CreateAsync();
        fixture.One.Begin();
        var number = fixture.One.Kinds.Ensure("mail");
        fixture.Other.Begin();
        var waiting = Task.Run(() => fixture.Other.Kinds.Ensure("mail"), TestContext.Current.CancellationToken);
        await fixture.WaitUntilBlockedAsync(fixture.Other, waiting);

        fixture.One.Commit();

        Assert.Equal(number, await waiting);
        fixture.Other.Commit();
        Assert.Equal(1, await fixture.CountAsync("kinds"));
    }

    [Fact]
    public async Task What_is_ready_is_what_the_lanes_have_now_saved_or_not()
    {
        await using var fixture = await WorkFixture.CreateAsync();
        await fixture.AddThreadsAsync(2);
        fixture.One.Begin();
        var (one, two, none) = (fixture.One.Kinds.Ensure("one"), fixture.One.Kinds.Ensure("two"), fixture.One.Kinds.Ensure("none"));
        fixture.One.SetLane(one, 1, ready: 1);
        fixture.One.SetLane(none, 1, ready: 0, running: 1);
        Assert.True(fixture.One.Kinds.HasReady(one));
        Assert.Equal(["one"], fixture.One.Kinds.WithReady());
        fixture.One.Commit();

        fixture.One.Begin();
        Assert.True(fixture.One.Kinds.HasReady(one));
        Assert.False(fixture.One.Kinds.HasReady(none));
        fixture.One.SetLane(one, 1, ready: 0);
        fixture.One.SetLane(two, 1, ready: 1);

        Assert.False(fixture.One.Kinds.HasReady(one));
        Assert.Equal(["two"], fixture.One.Kinds.WithReady());
        fixture.One.SetLane(one, 2, ready: 1);
        Assert.Equal(["one", "two"], fixture.One.Kinds.WithReady().Order());
        fixture.One.Lanes.Save();
        fixture.One.SetLane(one, 2, ready: 0);
        Assert.False(fixture.One.Kinds.HasReady(one));
        fixture.One.Rollback();
    }

    [Fact]
    public async Task Who_asks_for_room_is_alone_with_the_kind_and_counts_what_others_have_begun()
    {
        await using var fixture = await WorkFixture.CreateAsync();
        await fixture.AddThreadsAsync(2);
        fixture.One.Begin();
        var kind = fixture.One.Kinds.Ensure("mail");
        fixture.One.Commit();
        fixture.One.Begin();
        Assert.True(fixture.One.Kinds.HasRoom(kind, 2));
        fixture.One.SetLane(kind, 1, ready: 0, running: 1);
        Assert.True(fixture.One.Kinds.HasRoom(kind, 2));
        fixture.Other.Begin();
        Assert.True(fixture.Other.Kinds.HasRoom(kind, int.MaxValue));
        var waiting = Task.Run(() => fixture.Other.Kinds.HasRoom(kind, 2), TestContext.Current.CancellationToken);
        await fixture.WaitUntilBlockedAsync(fixture.Other, waiting);
        fixture.One.Commit();

        Assert.True(await waiting);
        fixture.Other.SetLane(kind, 2, ready: 0, running: 1);
        Assert.False(fixture.Other.Kinds.HasRoom(kind, 2));
        fixture.Other.Lanes.Save();
        Assert.False(fixture.Other.Kinds.HasRoom(kind, 2));
        fixture.Other.SetLane(kind, 1, ready: 0, running: 0);
        Assert.True(fixture.Other.Kinds.HasRoom(kind, 2));
        Assert.False(fixture.Other.Connection.HasSkipped);
        fixture.Other.Rollback();
    }

    [Fact]
    public async Task Only_the_first_kind_is_waited_for_and_a_later_one_that_another_host_has_is_skipped()
    {
        await using var fixture = await WorkFixture.CreateAsync();
        fixture.One.Begin();
        Assert.True(fixture.One.Kinds.HasRoom(1, 9));
        fixture.Other.Begin();
        fixture.Other.Connection.Mark();
        Assert.Empty(fixture.Other.Kinds.WithReady());
        Assert.True(fixture.Other.Kinds.HasRoom(2, 9));
        Assert.False(fixture.Other.Connection.HasSkipped);

        Assert.False(fixture.Other.Kinds.HasRoom(1, 9));
        Assert.True(fixture.Other.Connection.HasSkipped);
        Assert.Equal(DateTimeOffset.UnixEpoch, fixture.Other.Work.NextTime());

        // What was held since the mark was sent is free again.
        Assert.False(fixture.One.Kinds.HasRoom(2, 9));
        fixture.Other.RollbackToMark();
        Assert.True(fixture.One.Kinds.HasRoom(2, 9));
        fixture.One.Rollback();
        Assert.True(fixture.Other.Kinds.HasRoom(2, 9));
        fixture.Other.Rollback();
    }

    [Fact]
    public async Task Who_has_a_kind_does_not_wait_for_threads()
    {
        await using var fixture = await WorkFixture.CreateAsync();
        await fixture.AddThreadsAsync(2);
        fixture.One.Begin(2);
        fixture.Other.Begin(1);
        Assert.True(fixture.Other.Kinds.HasRoom(1, 9));

        var needed = Assert.Throws<LocksNeededException>(() => fixture.Other.Connection.Lock(2));

        Assert.Equal([1, 2], needed.Threads.Order());
        fixture.One.Rollback();
        fixture.Other.Rollback();
    }

    [Fact]
    public async Task The_latest_crashes_of_a_kind_are_kept()
    {
        await using var fixture = await WorkFixture.CreateAsync();
        fixture.One.Begin();
        for (var i = 0; i < IKindRows.MaxCrashes + 2; i++)
        {
            fixture.One.Kinds.AddCrash(1, WorkFixture.Start.AddSeconds(i), epoch: 1);
        }

        fixture.One.Kinds.AddCrash(2, WorkFixture.Start, epoch: 1);

        Assert.Equal(WorkFixture.Start.AddSeconds(IKindRows.MaxCrashes + 1), fixture.One.Kinds.CrashBefore(1, 1));
        Assert.Equal(WorkFixture.Start.AddSeconds(2), fixture.One.Kinds.CrashBefore(1, IKindRows.MaxCrashes));
        Assert.Equal(WorkFixture.Start, fixture.One.Kinds.CrashBefore(2, 1));
        Assert.Null(fixture.One.Kinds.CrashBefore(2, 2));
        fixture.One.Commit();
        Assert.Equal(IKindRows.MaxCrashes + 1, await fixture.CountAsync("kind_crashes"));
    }

    [Fact]
    public async Task Kinds_of_which_nothing_is_left_are_forgotten_but_not_one_that_another_host_is_giving_a_task()
    {
        await using var fixture = await WorkFixture.CreateAsync();
        fixture.One.Begin();
        var (crashed, left, gone) = (fixture.One.Kinds.Ensure("crashed"), fixture.One.Kinds.Ensure("left"), fixture.One.Kinds.Ensure("gone"));
        fixture.One.Kinds.AddCrash(crashed, WorkFixture.Start, epoch: 1);
        fixture.One.Commit();
        fixture.One.Begin();
        Assert.Equal(left, fixture.One.Kinds.Ensure("left"));
        fixture.One.Connection.Prepare(
            $"INSERT INTO {{schema}}.tasks (owner_thread_id, n, created_ms, state, type, description, kind) VALUES (1, 10, 0, 0, '', '', {left})").Run();
        fixture.Other.Begin();
        Assert.Equal(gone, fixture.Other.Kinds.Find("gone"));
        var pruning = Task.Run(fixture.Other.Kinds.Prune, TestContext.Current.CancellationToken);
        await fixture.WaitUntilBlockedAsync(fixture.Other, pruning);

        fixture.One.Commit();
        await pruning;

        Assert.Null(fixture.Other.Kinds.Find("gone"));
        Assert.Equal((crashed, left), (fixture.Other.Kinds.Find("crashed"), fixture.Other.Kinds.Find("left")));

        // A transaction that uses one itself leaves the rest to the next time, rather than wait for another that does.
        fixture.Other.Commit();
        fixture.One.Begin();
        fixture.One.Kinds.Ensure("one");
        fixture.Other.Begin();
        fixture.Other.Kinds.Ensure("other");
        fixture.Other.Kinds.Prune();
        Assert.NotNull(fixture.Other.Kinds.Find("other"));
        fixture.One.Rollback();
        fixture.Other.Rollback();
    }
}
