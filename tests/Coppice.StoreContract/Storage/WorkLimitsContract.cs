namespace Coppice.StoreContract;

/// <summary>How much of a kind runs at once, on all hosts together and for one thread.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class WorkLimitsContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    private static readonly KindClaim TwoAtOnce = new("k") { MaxRunning = 2 };
    private static readonly KindClaim OnePerThread = new("k") { MaxRunningPerThread = 1 };

    public static TheoryData<string> WaysToMakeRoom() => ["finish", "fail", "hand back", "cancel", "settle", "wait for input"];

    [Fact]
    public async Task No_more_of_a_kind_run_than_it_may_on_all_hosts_together()
    {
        var host = await JoinAsync();
        var other = await JoinAsync("other");
        for (var i = 0; i < 4; i++)
        {
            await host.AddWorkAsync(thread: $"t{i}");
        }

        await host.ClaimOneAsync(TwoAtOnce);

        Assert.Single((await other.ClaimAsync(100, TwoAtOnce)).Tasks);
        Assert.Empty((await host.ClaimAsync(100, TwoAtOnce)).Tasks);
        Assert.Empty((await other.ClaimAsync(100, TwoAtOnce)).Tasks);
        Assert.Single((await other.ClaimAsync(100, TwoAtOnce with { MaxRunning = 3 })).Tasks);
    }

    [Fact]
    public async Task No_more_of_a_kind_run_for_one_thread_than_may_and_other_threads_go_on()
    {
        var host = await JoinAsync();
        var first = await host.AddWorkAsync(thread: "t1", work: static work => work with { Priority = 9 });
        await host.AddWorkAsync(thread: "t1", work: static work => work with { Priority = 9 });
        var second = await host.AddWorkAsync(thread: "t2");
        await host.AddWorkAsync(thread: "t2");

        Assert.Equal([first, second], (await host.ClaimAsync(100, OnePerThread)).Tasks.Select(static each => each.Task.TaskId));
        Assert.Empty((await host.ClaimAsync(100, OnePerThread)).Tasks);
    }

    [Fact]
    public async Task The_kinds_do_not_count_for_each_other()
    {
        var host = await JoinAsync();
        await host.AddWorkAsync("a");
        await host.AddWorkAsync("b");
        var one = new[] { new KindClaim("a") { MaxRunning = 1, MaxRunningPerThread = 1 }, new KindClaim("b") { MaxRunning = 1, MaxRunningPerThread = 1 } };

        Assert.Equal(2, (await host.ClaimAsync(100, one)).Tasks.Count);
    }

    [Theory]
    [MemberData(nameof(WaysToMakeRoom))]
    public async Task An_attempt_that_is_over_makes_room_and_one_that_waits_for_input_does_not(string way)
    {
        var host = await JoinAsync();
        var other = await JoinAsync("other");
        var id = await host.AddWorkAsync();
        var next = await other.AddWorkAsync();
        var one = new KindClaim("k") { MaxRunning = 1, MaxRunningPerThread = 1 };
        var claimed = await host.ClaimOneAsync(one);
        Assert.Empty((await other.ClaimAsync(100, one)).Tasks);
        var listener = new RecordingListener();
        using var subscription = Store.Subscribe(listener);

        await MakeRoomAsync(way, host, other, claimed);

        if (way == "wait for input")
        {
            Assert.Empty((await other.ClaimAsync(100, one)).Tasks);
            return;
        }

        Assert.Contains(new RecordingListener.Heard("Work", "k"), listener.Snapshot());
        Assert.Equal(next, (await other.ClaimOneAsync(one)).Task.TaskId);
        Assert.NotEqual(id, next);
    }

    [Fact]
    public async Task Limits_count_what_ran_before_a_restart_as_far_as_it_still_does()
    {
        var host = await JoinAsync();
        await host.AddWorkAsync();
        await host.AddWorkAsync();
        await host.ClaimOneAsync(TwoAtOnce);
        await ReopenAsync();
        host = await JoinAsync("next");
        var running = (await Store.ListAsync(new TaskQuery { States = [TaskState.Running] }, null, 10, Stop)).Count;
        await host.AddWorkAsync();
        await host.AddWorkAsync();

        Assert.Equal(2 - running, (await host.ClaimAsync(100, TwoAtOnce)).Tasks.Count);
    }

    [Fact]
    public async Task Limits_are_never_exceeded_however_many_hosts_claim_at_once()
    {
        const int Tasks = 200;
        var limit = new KindClaim("k") { MaxRunning = 5, MaxRunningPerThread = 2 };
        var hosts = new[] { await JoinAsync("a"), await JoinAsync("b"), await JoinAsync("c"), await JoinAsync("d") };
        await hosts[0].CommitAsync([.. Enumerable.Range(0, Tasks).Select(static i => StoreHost.WorkTask("k", $"t{i % 4}"))]);
        var running = 0;
        var runningOf = new int[4];
        var done = 0;
        var tooMany = 0;

        await hosts.Select((host, number) => Task.Run(
            async () =>
            {
                var random = new Random(number);
                while (Volatile.Read(ref done) < Tasks)
                {
                    var claimed = (await host.ClaimAsync(random.Next(1, 4), limit)).Tasks;
                    foreach (var each in claimed)
                    {
                        var thread = each.Task.OwnerThreadId[1] - '0';
                        var (all, ofThread) = (Interlocked.Increment(ref running), Interlocked.Increment(ref runningOf[thread]));
                        Interlocked.Add(ref tooMany, all > 5 || ofThread > 2 ? 1 : 0);
                    }

                    foreach (var each in claimed)
                    {
                        // Counted down before the store knows: it may be ahead of this count, never behind.
                        Interlocked.Decrement(ref running);
                        Interlocked.Decrement(ref runningOf[each.Task.OwnerThreadId[1] - '0']);
                        if (random.Next(3) == 0)
                        {
                            await host.HandBackAsync(each, error: "again");
                        }
                        else
                        {
                            await host.FinishAsync(each);
                            Interlocked.Increment(ref done);
                        }
                    }
                }
            },
            Stop)).AllWithin();

        Assert.Equal(0, tooMany);
        Assert.Empty((await hosts[0].ClaimAsync(100, limit)).Tasks);
        Assert.Empty(await Store.ListAsync(new TaskQuery { States = [TaskState.Pending, TaskState.Running] }, null, 10, Stop));
    }

    private static async Task MakeRoomAsync(string way, StoreHost host, StoreHost other, ClaimedWork claimed)
    {
        switch (way)
        {
            case "finish":
                await host.FinishAsync(claimed);
                break;
            case "fail":
                await host.FinishAsync(claimed, TaskState.Failed);
                break;
            case "hand back":
                await host.HandBackAsync(claimed, host.Now.AddHours(1), "again");
                break;
            case "cancel":
                await host.AnswerAsync(new RequestCancel(CancelScope.Task, claimed.Task.TaskId));
                await host.FinishAsync(claimed, TaskState.Cancelled);
                break;
            case "settle":
                await other.AnswerAsync(new SettleHost(host.Fence));
                break;
            default:
                await host.AnswerAsync(new MoveTask(claimed.Task.TaskId, TaskState.InputRequired) { Claim = claimed.Claim });
                break;
        }
    }
}
