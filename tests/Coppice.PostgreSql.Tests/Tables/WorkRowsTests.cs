using Coppice.PostgreSql.Tests.Support;

namespace Coppice.PostgreSql.Tests.Tables;

public sealed class WorkRowsTests
{
    private const long Kind = 7;

    private static readonly DateTimeOffset Now = WorkFixture.Start;

    [Fact]
    public async Task A_head_reads_as_it_was_written_at_once_by_its_own_transaction_and_later_by_another()
    {
        await using var fixture = await WorkFixture.CreateAsync();
        await fixture.AddThreadsAsync(1);
        fixture.One.Begin(1);
        var work = new NewWork
        {
            Kind = "k", Input = WorkFixture.Json("""{"a": "\u0000"}"""), Version = 3, Recovery = RecoveryPolicy.Never, MaxCrashes = 4, Priority = -2, Deadline = Now,
        };
        var added = fixture.One.AddWork(10, Kind, rank: 5, work: work);
        Assert.Equal(added, fixture.One.Work.Head(10));
        var set = added with { Rank = null, DueAt = Now, Attempt = 1, Failures = 2, Crashes = 3, Claim = 4, HasSteps = true, HasCheckpoint = true };
        fixture.One.Work.Set(set);
        Assert.Equal(set, fixture.One.Work.Head(10));
        fixture.One.Work.SetError(set, "why");
        fixture.One.Commit();

        fixture.Other.Begin();

        Assert.Equal(set, fixture.Other.Work.Head(10));
        Assert.Equal([1L], fixture.Other.Connection.Locked);
        Assert.Equal(1, await fixture.CountAsync("""work WHERE last_error = 'why' AND input = '{"a": "\u0000"}'"""));
        fixture.Other.Work.End(set with { DueAt = null });
        fixture.Other.Commit();
        Assert.Equal(1, await fixture.CountAsync("work WHERE due_ms IS NULL AND expires_ms IS NULL AND deadline_ms IS NOT NULL"));
        fixture.One.Begin();
        fixture.One.Work.Remove(10);
        fixture.One.Work.Remove(999);
        fixture.One.Commit();
        Assert.Equal(0, await fixture.CountAsync("work"));
    }

    [Fact]
    public async Task What_was_set_since_the_mark_is_not_remembered_after_it_was_taken_back()
    {
        await using var fixture = await WorkFixture.CreateAsync();
        await fixture.AddThreadsAsync(1);
        fixture.One.Begin(1);
        var added = fixture.One.AddWork(10, Kind, rank: 1);
        fixture.One.Mark();
        fixture.One.Work.Set(added with { Attempt = 9 });

        fixture.One.RollbackToMark();

        Assert.Equal(added, fixture.One.Work.Head(10));
        fixture.One.Rollback();
    }

    [Fact]
    public async Task A_task_is_found_by_its_key_in_its_thread_unless_it_was_restored()
    {
        await using var fixture = await WorkFixture.CreateAsync();
        await fixture.AddThreadsAsync(2);
        fixture.One.Begin(1, 2);
        fixture.One.AddWork(10, Kind, rank: 1, work: new NewWork { Kind = "k", Input = default, IdempotencyKey = "key" });
        fixture.One.Work.Add(20, Kind, owner: 2, new TaskWork { Kind = "k", IdempotencyKey = "key", LastError = "why", Attempt = 2 });
        fixture.One.Work.Add(11, Kind, owner: 1, new TaskWork { Kind = "k", IdempotencyKey = "key" });

        Assert.Equal(10, fixture.One.Work.FindByKey(1, "key"));
        Assert.Null(fixture.One.Work.FindByKey(1, "KEY"));
        var longest = WorkFixture.LongText(1);
        fixture.One.AddWork(12, Kind, rank: 2, work: new NewWork { Kind = "k", Input = default, IdempotencyKey = longest });
        Assert.Equal(12, fixture.One.Work.FindByKey(1, longest));
        Assert.Null(fixture.One.Work.FindByKey(2, "key"));
        Assert.Equal((2, int.MaxValue), (fixture.One.Work.Head(20).Attempt, fixture.One.Work.Head(20).MaxCrashes));
        fixture.One.Commit();
        Assert.Equal(3, await fixture.CountAsync("work WHERE key = 'key' AND input = 'null'"));
    }

    [Fact]
    public async Task The_ready_tasks_of_a_lane_stand_by_version_priority_and_rank()
    {
        await using var fixture = await WorkFixture.CreateAsync();
        await fixture.AddThreadsAsync(2);
        fixture.One.Begin(1, 2);
        Add(10, rank: 4, priority: 0, version: 2);
        Add(11, rank: 3, priority: 1, version: 2);
        Add(12, rank: 2, priority: 0, version: 2);
        Add(13, rank: 5, priority: 9, version: 3);
        Add(14, rank: null, priority: 9, version: 2);
        Add(20, rank: 1, priority: 9, version: 1);
        var lane = fixture.One.Lanes.NumberOf(Kind, 1);

        Assert.Equal(new ReadyWork(11, 2, 1, 3), fixture.One.Work.First(lane, int.MinValue));
        Assert.Equal(13, fixture.One.Work.First(lane, 2)?.Number);
        Assert.Null(fixture.One.Work.First(lane, 3));
        Assert.Equal([11L, 12, 10], fixture.One.Work.Ready(lane, 2, 9).Select(ready => ready.Number));
        Assert.Equal([11L, 12], fixture.One.Work.Ready(lane, 2, 2).Select(ready => ready.Number));
        Assert.Equal(new ReadyWork(12, 2, 0, 2), fixture.One.Work.Longest(lane, 2));
        Assert.Equal(13, fixture.One.Work.Longest(lane, 3)?.Number);
        Assert.Null(fixture.One.Work.Longest(lane, 1));
        fixture.One.Rollback();

        void Add(long number, long? rank, int priority, int version) => fixture.One.AddWork(
            number, Kind, rank, work: new NewWork { Kind = "k", Input = default, Priority = priority, Version = version });
    }

    [Fact]
    public async Task What_is_due_or_expires_comes_by_its_time_and_leaves_out_what_another_host_holds()
    {
        await using var fixture = await WorkFixture.CreateAsync();
        await fixture.AddThreadsAsync(3);
        fixture.One.Begin(1, 2, 3);
        Assert.Null(fixture.One.Work.NextTime());
        fixture.One.AddWork(10, Kind, dueAt: Now.AddSeconds(2));
        fixture.One.AddWork(20, Kind, dueAt: Now.AddSeconds(1));
        fixture.One.AddWork(11, Kind, dueAt: Now.AddSeconds(1));
        fixture.One.AddWork(30, Kind, rank: 1, work: new NewWork { Kind = "k", Input = default, Deadline = Now.AddSeconds(-1) });
        fixture.One.AddWork(31, Kind, work: new NewWork { Kind = "k", Input = default, Deadline = Now.AddSeconds(-2) });
        fixture.One.Commit();
        fixture.One.Begin();
        Assert.Equal([11L, 20, 10], fixture.One.Work.Due(Now.AddSeconds(2), 10));
        Assert.Equal([11L, 20], fixture.One.Work.Due(Now.AddSeconds(2), 2));
        Assert.Empty(fixture.One.Work.Due(Now, 10));
        Assert.Equal([30L], fixture.One.Work.Expired(Now, 10));
        Assert.Empty(fixture.One.Work.Expired(Now.AddSeconds(-2), 10));
        Assert.Equal(Now.AddSeconds(-1), fixture.One.Work.NextTime());
        fixture.One.Rollback();

        fixture.One.Begin(1, 3);
        fixture.One.Work.Set(fixture.One.Work.Head(10) with { DueAt = null });
        fixture.Other.Begin();

        Assert.Equal([20L], fixture.Other.Work.Due(Now.AddSeconds(2), 10));
        Assert.Empty(fixture.Other.Work.Expired(Now, 10));
        Assert.Equal(DateTimeOffset.UnixEpoch, fixture.Other.Work.NextTime());
        fixture.One.Commit();
        Assert.Equal([11L, 20], fixture.Other.Work.Due(Now.AddSeconds(2), 10));
        fixture.Other.Rollback();
    }

    [Fact]
    public async Task The_work_of_old_ended_tasks_is_forgotten_under_their_threads_locks()
    {
        await using var fixture = await WorkFixture.CreateAsync();
        await fixture.AddThreadsAsync(6);
        await fixture.ExecuteAsync($$"""
            INSERT INTO {schema}.tasks (owner_thread_id, n, created_ms, completed_ms, state, kind, type, description) VALUES
                (1, 10, 0, {{Now.AddSeconds(-1).ToUnixTimeMilliseconds()}}, 3, 7, '', ''),
                (2, 20, 0, {{Now.ToUnixTimeMilliseconds()}}, 5, 7, '', ''),
                (3, 30, 0, NULL, 2, 7, '', ''),
                (4, 40, 0, NULL, 4, 7, '', ''),
                (5, 50, 0, 0, 3, 7, '', ''),
                (6, 60, 0, 0, 3, NULL, '', '');
            INSERT INTO {schema}.branches (owner_thread_id, n, ended) VALUES (5, 50, true);
            """);
        fixture.One.Begin(1, 2, 3, 4, 5, 6);
        foreach (var number in (long[])[10, 20, 30, 40, 50])
        {
            fixture.One.AddWork(number, Kind);
        }

        fixture.One.Commit();
        fixture.One.Begin(4);
        fixture.Other.Begin();
        var pruning = Task.Run(() => fixture.Other.Work.Prune(Now), TestContext.Current.CancellationToken);
        await fixture.WaitUntilBlockedAsync(fixture.Other, pruning);
        fixture.One.Connection.Prepare("INSERT INTO {schema}.branches (owner_thread_id, n, ended) VALUES (4, 40, true)").Run();
        fixture.One.Commit();
        await pruning;

        Assert.Equal([1L, 4], fixture.Other.Connection.Locked.Order());
        fixture.Other.Commit();
        Assert.Equal(4, await fixture.CountAsync("work WHERE n IN (20, 30, 40, 50)"));
        Assert.Equal(4, await fixture.CountAsync("work"));
    }
}
