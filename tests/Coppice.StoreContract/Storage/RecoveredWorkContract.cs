namespace Coppice.StoreContract;

/// <summary>What becomes of running tasks of kinds whose host is gone, and of kinds whose hosts keep going.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class RecoveredWorkContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    public static TheoryData<string> WaysToGo() => ["is settled", "leaves", "dies with the process"];

    [Theory]
    [MemberData(nameof(WaysToGo))]
    public async Task A_task_that_may_be_run_again_is_pending_when_its_host(string goes)
    {
        Assert.SkipWhen(goes == "dies with the process" && !Fixture.HasOneProcessAtATime, "Hosts of other processes may still live when one ends.");
        var host = await JoinAsync("gone");
        var id = await host.AddWorkAsync(work: Resumable);
        await host.ClaimOneAsync();

        var (next, orphans, recovered) = await GoAsync(host, goes);

        Assert.Empty(orphans);
        Assert.Equal([id], recovered);
        var task = await Store.GetAsync(id, Stop);
        Assert.Equal((TaskState.Pending, 1, 0, 1), (task!.State, task.Work!.Attempt, task.Work.Failures, task.Work.Crashes));
        Assert.Null(task.Error);
        Assert.Null(task.Work.LastError);
        Assert.Empty(await Store.ReadAllAsync(next, "t1"));
        var again = await next.ClaimOneAsync();
        Assert.Equal((id, 2), (again.Task.TaskId, again.Task.Work!.Attempt));
    }

    [Theory]
    [MemberData(nameof(WaysToGo))]
    public async Task A_task_that_must_not_be_run_again_is_an_orphan_when_its_host(string goes)
    {
        Assert.SkipWhen(goes == "dies with the process" && !Fixture.HasOneProcessAtATime, "Hosts of other processes may still live when one ends.");
        var host = await JoinAsync("gone");
        var id = await host.AddWorkAsync();
        var pending = await host.AddWorkAsync();
        await host.ClaimOneAsync();

        var (next, orphans, recovered) = await GoAsync(host, goes);

        Assert.Equal([id], orphans);
        Assert.Empty(recovered);
        Assert.Equal([new TaskFailed(id, Orphans.Error)], (await Store.ReadAllAsync(next, "t1")).Select(static item => item.Event));
        Assert.Equal(pending, (await next.ClaimOneAsync()).Task.TaskId);
    }

    [Theory]
    [MemberData(nameof(WaysToGo))]
    public async Task A_task_that_waits_for_a_host_is_nobodys_orphan_when_its_spawner(string goes)
    {
        Assert.SkipWhen(goes == "dies with the process" && !Fixture.HasOneProcessAtATime, "Hosts of other processes may still live when one ends.");
        var host = await JoinAsync("gone");
        var id = await host.AddWorkAsync();
        var before = await Store.GetAsync(id, Stop);

        var (next, orphans, recovered) = await GoAsync(host, goes);

        Assert.Empty(orphans.Concat(recovered));
        Assert.Equal(before, await Store.GetAsync(id, Stop));
        Assert.Equal(id, (await next.ClaimOneAsync()).Task.TaskId);
    }

    [Fact]
    public async Task A_task_that_waits_for_input_is_recovered_like_one_that_runs()
    {
        var host = await JoinAsync("gone");
        var id = await host.AddWorkAsync(work: Resumable);
        var claimed = await host.ClaimOneAsync();
        await host.AnswerAsync(new MoveTask(id, TaskState.InputRequired) { Claim = claimed.Claim });

        var (_, _, recovered) = await GoAsync(host, "is settled");

        Assert.Equal([id], recovered);
        Assert.Equal(TaskState.Pending, (await Store.GetAsync(id, Stop))!.State);
    }

    [Fact]
    public async Task What_a_settled_host_still_writes_for_a_recovered_task_is_fenced()
    {
        var host = await JoinAsync("sleeper");
        var id = await host.AddWorkAsync(work: Resumable);
        var claimed = await host.ClaimOneAsync();
        var (next, _, _) = await GoAsync(host, "is settled");
        await next.ClaimOneAsync();

        Assert.Equal(CommitStatus.Fenced, (await host.CommitAsync(StoreHost.Finish(id) with { Claim = claimed.Claim })).Status);
        Assert.Equal(CommitStatus.Fenced, (await host.CommitAsync(new HandBackWork(id, claimed.Claim))).Status);
        Assert.Equal(TaskState.Running, (await Store.GetAsync(id, Stop))!.State);
    }

    [Fact]
    public async Task Recovered_tasks_are_ready_at_once_behind_what_was_ready_before()
    {
        var host = await JoinAsync("gone");
        var first = await host.AddWorkAsync(work: Resumable);
        var second = await host.AddWorkAsync(work: Resumable);
        await host.ClaimAsync(2);
        var waiting = await host.AddWorkAsync();
        var listener = new RecordingListener();
        using var subscription = Store.Subscribe(listener);

        var (next, _, recovered) = await GoAsync(host, "is settled");

        Assert.Equal([first, second], recovered);
        Assert.Equal(2, listener.Changes().Count(static change => change is { Kind: TaskChangeKind.Moved, Task.State: TaskState.Pending }));
        Assert.Contains(new RecordingListener.Heard("Work", "k"), listener.Snapshot());
        Assert.Equal([waiting, first, second], (await next.ClaimAsync()).Tasks.Select(static each => each.Task.TaskId));
    }

    [Fact]
    public async Task A_recovered_task_whose_cancellation_was_requested_ends_as_cancelled()
    {
        var host = await JoinAsync("gone");
        var id = await host.AddWorkAsync(work: Resumable);
        await host.ClaimOneAsync();
        await host.AnswerAsync(new RequestCancel(CancelScope.Task, id));

        var (next, orphans, recovered) = await GoAsync(host, "is settled");

        Assert.Equal([id], orphans);
        Assert.Empty(recovered);
        var task = await Store.GetAsync(id, Stop);
        Assert.Equal((TaskState.Cancelled, null, "user"), (task!.State, task.Error, task.CancelledBy));
        Assert.Equal([new TaskCancelled(id)], (await Store.ReadAllAsync(next, "t1")).Select(static item => item.Event));
    }

    [Fact]
    public async Task A_task_whose_process_ended_too_often_fails_and_says_how_often()
    {
        var host = await JoinAsync("first");
        var id = await host.AddWorkAsync(work: static work => Resumable(work) with { MaxCrashes = 3 });
        for (var crash = 1; crash < 3; crash++)
        {
            await host.ClaimOneAsync();
            (host, _, var recovered) = await GoAsync(host, "is settled");
            Assert.Equal([id], recovered);
        }

        var last = await host.ClaimOneAsync();
        await host.AnswerAsync(new StoreStep(id, last.Claim, new TaskStep { Name = "s" }));
        (host, var orphans, _) = await GoAsync(host, "is settled");

        Assert.Equal([id], orphans);
        var task = await Store.GetAsync(id, Stop);
        Assert.Equal((TaskState.Failed, WorkRules.CrashError(3)), (task!.State, task.Error));
        Assert.Contains("3 times", task.Error, StringComparison.Ordinal);
        Assert.Equal([new TaskFailed(id, task.Error!)], (await Store.ReadAllAsync(host, "t1")).Select(static item => item.Event));
        Assert.Empty(await Store.ReadStepsAsync(id, 0, 10, Stop));
        Assert.Empty((await host.ClaimAsync()).Tasks);
    }

    [Fact]
    public async Task A_kind_under_which_processes_keep_ending_stops_until_enough_of_it_is_too_long_ago()
    {
        var kind = new KindClaim("k") { MaxCrashes = 2, CrashWindow = TimeSpan.FromMinutes(10) };
        var host = await JoinAsync("first");
        await host.AddWorkAsync(work: static work => Resumable(work));
        var start = host.Now;
        await host.ClaimOneAsync(kind);
        host = await CrashAsync(host, start);
        await host.ClaimOneAsync(kind);
        host = await CrashAsync(host, start.AddMinutes(3));

        var stopped = await host.ClaimAsync(100, kind);
        Assert.Empty(stopped.Tasks);
        Assert.Equal(start.AddMinutes(10), stopped.NextLook);
        Assert.Empty(stopped.UnknownKinds);

        host.Now = start.AddMinutes(10).AddMilliseconds(-1);
        Assert.Empty((await host.ClaimAsync(100, kind)).Tasks);
        await ReopenAsync();
        host = new StoreHost(Store, (await JoinAsync("next")).Fence) { Now = start.AddMinutes(10) };
        Assert.Single((await host.ClaimAsync(100, kind)).Tasks);
        Assert.Null((await host.ClaimAsync(100, kind)).NextLook);
    }

    [Fact]
    public async Task A_host_that_goes_counts_once_for_each_kind_that_it_ran_however_many_tasks_and_whatever_becomes_of_them()
    {
        var host = await JoinAsync("first");
        await host.AddWorkAsync();
        await host.AddWorkAsync(work: Resumable);
        await host.AddWorkAsync("idle");
        await host.ClaimAsync();
        host = await CrashAsync(host, host.Now);
        await host.AddWorkAsync();

        Assert.Empty((await host.ClaimAsync(100, new KindClaim("k") { MaxCrashes = 1 })).Tasks);
        Assert.Single((await host.ClaimAsync(100, new KindClaim("idle") { MaxCrashes = 1 })).Tasks);
        Assert.Equal(2, (await host.ClaimAsync(100, new KindClaim("k") { MaxCrashes = 2 })).Tasks.Count);
    }

    [Fact]
    public async Task A_stopped_kind_that_has_nothing_ready_is_nothing_to_look_for()
    {
        var host = await JoinAsync("first");
        await host.AddWorkAsync();
        await host.ClaimOneAsync();
        host = await CrashAsync(host, host.Now);

        Assert.Null((await host.ClaimAsync(100, new KindClaim("k") { MaxCrashes = 1 })).NextLook);
    }

    [Fact]
    public async Task The_end_and_the_recovery_of_a_task_at_once_are_one_of_the_two()
    {
        var other = await JoinAsync("other");
        for (var round = 0; round < 60; round++)
        {
            var host = await JoinAsync("host");
            var thread = $"t{round}";
            var id = await other.AddWorkAsync(thread: thread, work: Resumable);
            var claimed = await host.ClaimOneAsync();

            var finish = Task.Run(() => host.CommitAsync(StoreHost.Finish(id) with { Claim = claimed.Claim }), Stop);
            var settle = Task.Run(() => other.AnswerAsync(new SettleHost(host.Fence)), Stop);
            var finished = (await finish.Within()).Status == CommitStatus.Landed;
            var settled = Assert.IsType<HostSettled>(await settle.Within());

            Assert.Equal(finished ? [] : [id], settled.Recovered);
            Assert.Equal(finished ? 0 : 1, (await other.ClaimAsync()).Tasks.Count);
            Assert.Equal(finished ? 1 : 0, (await Store.ReadAllAsync(other, thread)).Count);
        }
    }

    private static NewWork Resumable(NewWork work) => work with { Recovery = RecoveryPolicy.Resumable };

    private async Task<StoreHost> CrashAsync(StoreHost host, DateTimeOffset at)
    {
        var next = await JoinAsync("next");
        next.Now = at;
        await next.AnswerAsync(new SettleHost(host.Fence));
        return next;
    }

    private async Task<(StoreHost Next, IReadOnlyList<string> Orphans, IReadOnlyList<string> Recovered)> GoAsync(StoreHost host, string goes)
    {
        if (goes == "is settled")
        {
            var next = await JoinAsync("next");
            var settled = Assert.IsType<HostSettled>(await next.AnswerAsync(new SettleHost(host.Fence)));
            return (next, settled.Orphans, settled.Recovered);
        }

        if (goes == "leaves")
        {
            await host.AnswerAsync(new LeaveHost());
        }
        else
        {
            await ReopenAsync();
        }

        var joined = Assert.IsType<HostJoined>(await new StoreHost(Store, HostFence.None).AnswerAsync(new JoinHost("next")));
        return (new StoreHost(Store, joined.Fence), joined.Orphans, joined.Recovered);
    }
}
