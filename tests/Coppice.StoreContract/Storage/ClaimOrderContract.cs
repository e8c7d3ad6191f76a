namespace Coppice.StoreContract;

/// <summary>Which task a claim takes next: by priority and turn among lanes, by priority and readiness within one, and now and then by age alone.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class ClaimOrderContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    private static readonly int Steps = LongRun.Count(inTests: 300, inLongRun: 10_000);

    [Fact]
    public async Task Within_a_lane_the_first_ready_goes_first()
    {
        var host = await JoinAsync();
        var ids = await AddAsync(host, ("t1", 0), ("t1", 0), ("t1", 0));

        Assert.Equal(ids, await ClaimedAsync(host));
    }

    [Fact]
    public async Task Within_a_lane_the_highest_priority_goes_first()
    {
        var host = await JoinAsync();
        var ids = await AddAsync(host, ("t1", 0), ("t1", int.MaxValue), ("t1", int.MinValue), ("t1", int.MaxValue));

        Assert.Equal([ids[1], ids[3], ids[0], ids[2]], await ClaimedAsync(host));
    }

    [Fact]
    public async Task Lanes_take_turns_however_much_one_has()
    {
        var host = await JoinAsync();
        var ids = await AddAsync(host, ("t1", 0), ("t1", 0), ("t1", 0), ("t2", 0), ("t3", 0), ("t2", 0));

        Assert.Equal([ids[0], ids[3], ids[4], ids[1], ids[5], ids[2]], await ClaimedAsync(host));
    }

    [Fact]
    public async Task The_lane_with_the_highest_priority_goes_first()
    {
        var host = await JoinAsync();
        var ids = await AddAsync(host, ("t1", 0), ("t2", 1), ("t2", 0), ("t3", 2), ("t1", 2));

        Assert.Equal([ids[4], ids[3], ids[1], ids[0], ids[2]], await ClaimedAsync(host));
    }

    [Fact]
    public async Task A_lane_that_had_nothing_ready_gets_its_turn_behind_those_that_wait()
    {
        var host = await JoinAsync();
        var first = await AddAsync(host, ("t1", 0));
        Assert.Equal(first, await ClaimedAsync(host));
        var ids = await AddAsync(host, ("t2", 0), ("t1", 0), ("t2", 0));

        Assert.Equal(ids, await ClaimedAsync(host));
    }

    [Fact]
    public async Task The_kinds_of_one_thread_are_lanes_of_their_own()
    {
        var host = await JoinAsync();
        var ids = new[] { await host.AddWorkAsync("a"), await host.AddWorkAsync("a"), await host.AddWorkAsync("b") };

        Assert.Equal([ids[0], ids[2], ids[1]], await ClaimedAsync(host, kinds: [new KindClaim("b"), new KindClaim("a")]));
    }

    [Fact]
    public async Task Of_every_eight_claims_the_last_goes_by_age_alone()
    {
        var host = await JoinAsync();
        var old = await AddAsync(host, ("t1", 0), ("t1", -1));
        var urgent = await AddAsync(host, [.. Enumerable.Repeat(("t2", 5), 20)]);

        var claimed = await ClaimedAsync(host, 16);

        Assert.Equal([.. urgent[..7], old[0], .. urgent[7..14], old[1]], claimed);
    }

    [Fact]
    public async Task The_claim_by_age_is_counted_over_all_claims_of_the_store_also_after_a_restart()
    {
        var host = await JoinAsync();
        var other = await JoinAsync("other");
        var old = await AddAsync(host, ("t1", 0));
        var urgent = await AddAsync(host, [.. Enumerable.Repeat(("t2", 5), 9)]);
        Assert.Equal(urgent[..3], await ClaimedAsync(host, 3));
        Assert.Equal(urgent[3..5], await ClaimedAsync(other, 2));
        Assert.Empty(await ClaimedAsync(other, 5, new KindClaim("absent")));
        await ReopenAsync();
        host = await JoinAsync();

        Assert.Equal([urgent[5], urgent[6], old[0], urgent[7]], await ClaimedAsync(host, 4));
    }

    [Fact]
    public async Task In_a_claim_by_age_the_first_ready_of_a_lane_goes_before_what_is_more_important_there()
    {
        var host = await JoinAsync();
        var ids = await AddAsync(host, ("t1", 0), ("t1", 5));
        for (var i = 0; i < 7; i++)
        {
            await host.AddWorkAsync("other");
        }

        Assert.Equal(7, (await ClaimedAsync(host, 7, new KindClaim("other"))).Count);
        Assert.Equal(ids, await ClaimedAsync(host));
    }

    [Fact]
    public async Task What_is_handed_back_goes_to_the_end_of_its_lane()
    {
        var host = await JoinAsync();
        var ids = await AddAsync(host, ("t1", 0), ("t1", 0), ("t1", 0));
        var first = await host.ClaimOneAsync();

        await host.HandBackAsync(first, error: "again");

        Assert.Equal([ids[1], ids[2], ids[0]], await ClaimedAsync(host));
    }

    [Fact]
    public async Task What_is_due_becomes_ready_in_the_order_of_times_and_then_of_numbers()
    {
        var host = await JoinAsync();
        var now = host.Now;
        var ids = new List<string>();
        foreach (var seconds in new[] { 3, 2, 3, 1, 0 })
        {
            ids.Add(await host.AddWorkAsync(work: work => work with { DueAt = now.AddSeconds(seconds) }));
        }

        host.Now = now.AddSeconds(3);

        Assert.Equal([ids[4], ids[3], ids[1], ids[0], ids[2]], await ClaimedAsync(host));
    }

    [Fact]
    public async Task What_is_not_due_is_not_claimed_a_millisecond_early_and_the_claim_tells_when_to_look()
    {
        var host = await JoinAsync();
        var due = host.Now.AddSeconds(10);
        var id = await host.AddWorkAsync(work: work => work with { DueAt = due });
        await host.AddWorkAsync("other", work: work => work with { DueAt = due.AddSeconds(1) });
        Assert.Equal(due, (await Store.GetAsync(id, Stop))!.Work!.DueAt);

        host.Now = due.AddMilliseconds(-1);
        var early = await host.ClaimAsync();
        Assert.Empty(early.Tasks);
        Assert.Equal(due, early.NextLook);

        host.Now = due;
        var claimed = await host.ClaimAsync();
        Assert.Equal(id, Assert.Single(claimed.Tasks).Task.TaskId);
        Assert.Null(claimed.Tasks[0].Task.Work!.DueAt);
        Assert.Equal(due.AddSeconds(1), claimed.NextLook);
        host.Now = due.AddSeconds(1);
        Assert.Null((await host.ClaimAsync()).NextLook);
    }

    [Fact]
    public async Task What_is_due_at_once_says_no_time_and_nor_does_what_has_become_ready()
    {
        var host = await JoinAsync();
        var atOnce = await host.AddWorkAsync(work: work => work with { DueAt = host.Now });
        var later = await host.AddWorkAsync(work: work => work with { DueAt = host.Now.AddSeconds(1) });
        Assert.Null((await Store.GetAsync(atOnce, Stop))!.Work!.DueAt);

        host.Now += TimeSpan.FromSeconds(1);
        await host.ClaimAsync(0);

        Assert.Null((await Store.GetAsync(later, Stop))!.Work!.DueAt);
        Assert.Equal([atOnce, later], await ClaimedAsync(host));
    }

    [Fact]
    public async Task When_more_is_due_than_one_claim_looks_after_the_next_look_is_at_once()
    {
        var host = await JoinAsync();
        var due = host.Now.AddSeconds(1);
        await host.CommitAsync([.. Enumerable.Range(0, WorkRules.MaxPromoted + 1).Select(i => StoreHost.WorkTask("k", $"t{i % 10}", work => work with { DueAt = due }))]);
        host.Now = due.AddSeconds(1);

        Assert.Equal(host.Now, (await host.ClaimAsync(0)).NextLook);
        Assert.Null((await host.ClaimAsync(0)).NextLook);
        Assert.Equal(WorkRules.MaxPromoted + 1, (await host.ClaimAsync(int.MaxValue)).Tasks.Count);
    }

    [Fact]
    public async Task A_lanes_place_goes_by_all_that_is_ready_in_it_and_it_is_passed_over_where_all_is_too_new()
    {
        var host = await JoinAsync();
        var plain = await AddAsync(host, ("t1", 1));
        var mixed = await host.AddWorkAsync(thread: "t2");
        await host.AddWorkAsync(thread: "t2", work: static work => work with { Version = 2, Priority = 5 });
        await host.AddWorkAsync(thread: "t3", work: static work => work with { Version = 2, Priority = 9 });

        Assert.Equal([mixed, plain[0]], await ClaimedAsync(host));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task A_random_history_goes_as_the_rules_say(int round)
    {
        var random = new Random(HashCode.Combine(RandomSeed.Draw(), round));
        var model = new WorkModel();
        var hosts = new List<StoreHost> { await JoinAsync("a"), await JoinAsync("b") };
        var now = hosts[0].Now;
        string[] kinds = ["k1", "k2", "k3"];
        for (var step = 0; step < Steps; step++)
        {
            now += TimeSpan.FromMilliseconds(random.Next(5));
            var at = random.Next(hosts.Count);
            var host = hosts[at];
            host.Now = now;
            var mine = model.Running.Where(item => item.Host == host.Fence).ToList();
            switch (random.Next(12))
            {
                case < 5:
                    var work = new NewWork
                    {
                        Kind = kinds[random.Next(3)], Version = random.Next(1, 4), Input = Mailbag.Json("{}"), Priority = random.Next(-2, 3),
                        DueAt = random.Next(3) == 0 ? now.AddMilliseconds(random.Next(60)) : null,
                        Deadline = random.Next(5) == 0 ? now.AddMilliseconds(random.Next(200)) : null,
                        Recovery = (RecoveryPolicy)random.Next(3), MaxCrashes = random.Next(1, 4),
                    };
                    var thread = $"t{random.Next(4)}";
                    model.Add(await host.AddWorkAsync(work.Kind, thread, _ => work), thread, work, now);
                    break;
                case < 9:
                    var asked = kinds.Where(_ => random.Next(4) > 0).Select(kind => new KindClaim(kind)
                    {
                        MaxVersion = random.Next(1, 4), MaxRunning = random.Next(1, 12), MaxRunningPerThread = random.Next(1, 5),
                        MaxCrashes = random.Next(1, 4), CrashWindow = TimeSpan.FromMilliseconds(random.Next(1, 400)),
                    }).ToList();
                    var limit = random.Next(5);
                    var expected = model.Claim(host.Fence, asked, limit, now);
                    var claimed = Assert.IsType<WorkClaimed>(await host.AnswerAsync(new ClaimWork(asked, limit)));
                    Assert.Equal(
                        expected.Claimed.Select(static item => (item.Id, item.Claim, item.Attempt, item.Crashes)),
                        claimed.Tasks.Select(static each => (each.Task.TaskId, each.Claim, each.Task.Work!.Attempt, each.Task.Work.Crashes)));
                    Assert.Equal(expected.NextLook, claimed.NextLook);
                    Assert.Equal(expected.UnknownKinds, claimed.UnknownKinds.Order(StringComparer.Ordinal));
                    Assert.Equal(expected.Expired, claimed.Expired);
                    break;
                case 9 when mine.Count > 0:
                    var back = mine[random.Next(mine.Count)];
                    DateTimeOffset? dueAt = random.Next(2) == 0 ? now.AddMilliseconds(random.Next(60)) : null;
                    var hasFailed = random.Next(2) == 0;
                    await host.AnswerAsync(new HandBackWork(back.Id, back.Claim) { DueAt = dueAt, Error = hasFailed ? "boom" : null });
                    model.HandBack(back, dueAt, hasFailed, now);
                    break;
                case 10 when mine.Count > 0:
                    await host.AnswerAsync(StoreHost.Finish(mine[0].Id) with { Claim = mine[0].Claim });
                    WorkModel.End(mine[0], TaskState.Completed);
                    break;
                case 11 when random.Next(2) == 0:
                    var (orphans, recovered) = model.Settle(host.Fence, now);
                    var settler = hosts[1 - at];
                    settler.Now = now;
                    var settled = Assert.IsType<HostSettled>(await settler.AnswerAsync(new SettleHost(host.Fence)));
                    Assert.Equal(orphans.Order(), settled.Orphans.Order());
                    Assert.Equal(recovered, settled.Recovered);
                    hosts[at] = await JoinAsync("next");
                    break;
                case 11:
                    var pending = model.Items.Where(static item => item.State == TaskState.Pending).ToList();
                    if (pending.Count > 0)
                    {
                        var cancelled = pending[random.Next(pending.Count)];
                        await host.AnswerAsync(new RequestCancel(CancelScope.Task, cancelled.Id));
                        WorkModel.End(cancelled, TaskState.Cancelled);
                    }

                    break;
            }
        }

        var stored = (await Store.ListAsync(new TaskQuery(), null, int.MaxValue, Stop)).ToDictionary(static task => task.TaskId);
        Assert.All(model.Items, item => Assert.Equal((item.State, item.DueAt, item.Attempt), (stored[item.Id].State, stored[item.Id].Work!.DueAt, stored[item.Id].Work!.Attempt)));
    }

    private static async Task<List<string>> AddAsync(StoreHost host, params (string Thread, int Priority)[] tasks)
    {
        var ids = new List<string>();
        foreach (var (thread, priority) in tasks)
        {
            ids.Add(await host.AddWorkAsync(thread: thread, work: work => work with { Priority = priority }));
        }

        return ids;
    }

    private static async Task<List<string>> ClaimedAsync(StoreHost host, int limit = 100, params KindClaim[] kinds) =>
        [.. (await host.ClaimAsync(limit, kinds)).Tasks.Select(static each => each.Task.TaskId)];
}
