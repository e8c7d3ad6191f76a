namespace Coppice.StoreContract;

/// <summary>Law 9 in the store: hosts, their fences, and the tasks of those that are gone.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class FencesContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    private const string Orphaned = "task orphaned: runtime restarted while running";

    public static TheoryData<string> Strangers() => ["never joined", "unknown", "wrong epoch", "wrong name", "left", "settled"];

    public static TheoryData<TaskState> LiveStates() => [TaskState.Pending, TaskState.Running, TaskState.InputRequired];

    [Fact]
    public async Task Hosts_get_epochs_that_grow()
    {
        var first = await JoinAsync("a");
        var second = await JoinAsync("b");
        var third = await JoinAsync("a");

        Assert.True(first.Fence.Epoch > 0);
        Assert.True(second.Fence.Epoch > first.Fence.Epoch);
        Assert.True(third.Fence.Epoch > second.Fence.Epoch);
        await ReopenAsync();
        Assert.True((await JoinAsync("c")).Fence.Epoch > third.Fence.Epoch);
    }

    [Theory]
    [MemberData(nameof(Strangers))]
    public async Task Nothing_of_a_host_without_an_open_fence_is_stored(string which)
    {
        var host = await JoinAsync("host");
        var id = await host.AddAsync(name: "worker");
        var other = await JoinAsync("other");
        await other.AnswerAsync(new PostMessage("t1", Mailbag.Message("hello")));
        var reader = await other.OpenAsync("t1");
        var stranger = which switch
        {
            "never joined" => new StoreHost(Store, HostFence.None),
            "unknown" => new StoreHost(Store, new HostFence("nobody", 99)),
            "wrong epoch" => new StoreHost(Store, host.Fence with { Epoch = host.Fence.Epoch + 50 }),
            "wrong name" => new StoreHost(Store, host.Fence with { HostId = "impostor" }),
            _ => host,
        };
        switch (which)
        {
            case "left":
                await host.AnswerAsync(new LeaveHost());
                break;
            case "settled":
                await other.AnswerAsync(new SettleHost(host.Fence));
                break;
        }

        var before = await Store.ListAsync(new TaskQuery(), null, 100, Stop);
        Mutation[] mutations =
        [
            StoreHost.Task(name: "other"), StoreHost.Finish(id), new MoveTask(id, TaskState.Pending), new PostEvents(id, 0, [Mailbag.Progress(id, 0)]),
            new RequestCancel(CancelScope.Task, id), new PostMessage("t2", Mailbag.Message("x")), new OpenMailbox("t1", Guid.NewGuid()),
            new CloseMailbox("t1", reader), new AcknowledgeMail("t1", reader, 1), new RestoreTasks("t1", []), new PruneTasks(host.Now.AddDays(1)),
            new SettleHost(other.Fence), new LeaveHost(), new SendMessage(id, new MessageSender("t1", "a"), "x", 1), new CloseAgentInbox(id),
        ];
        foreach (var mutation in mutations)
        {
            var result = await stranger.CommitAsync(mutation);
            Assert.True(result.Status == CommitStatus.Fenced, $"{mutation} of a host that {which}: {result.Status}.");
            Assert.Empty(result.Answers);
            Assert.Equal(0, result.Revision);
        }

        Assert.Equal(before, await Store.ListAsync(new TaskQuery(), null, 100, Stop));
        Assert.Empty(await Store.ReadAllAsync(other, "t2"));
        Assert.True((await Store.ReadMailAsync("t1", reader, 0, 10, Stop)).IsReader);
        await other.AddAsync();
    }

    [Theory]
    [MemberData(nameof(LiveStates))]
    public async Task Settling_a_host_ends_its_live_tasks_as_orphans_once_each_with_its_event(TaskState state)
    {
        var gone = await JoinAsync("gone");
        var other = await JoinAsync("other");
        var id = await gone.AddAsync(name: "worker", state: state == TaskState.Pending ? state : TaskState.Running);
        if (state == TaskState.InputRequired)
        {
            await gone.AnswerAsync(new MoveTask(id, state));
        }

        var others = await other.AddAsync();
        other.Now += TimeSpan.FromMinutes(1);

        Assert.Equal([id], await SettleAsync(other, gone.Fence));
        Assert.Empty(await SettleAsync(other, gone.Fence));

        var orphan = await Store.GetAsync(id, Stop);
        Assert.Equal(TaskState.Failed, orphan!.State);
        Assert.Equal(Orphaned, orphan.Error);
        Assert.Equal(other.Now, orphan.CompletedAt);
        Assert.Null(orphan.CancelRequestedAt);
        Assert.Equal([new TaskFailed(id, Orphaned)], (await Store.ReadAllAsync(other, "t1")).Select(static item => item.Event));
        Assert.Equal(TaskState.Running, (await Store.GetAsync(others, Stop))!.State);
        await other.AddAsync(name: "worker");
    }

    [Fact]
    public async Task Only_one_of_many_that_settle_a_host_at_once_is_answered_with_its_tasks()
    {
        var other = await JoinAsync("other");
        for (var round = 0; round < 10; round++)
        {
            var gone = await JoinAsync("gone");
            var ids = new[] { await gone.AddAsync("t1"), await gone.AddAsync("t2") };

            var answers = await Enumerable.Range(0, 6).Select(_ => Task.Run(() => SettleAsync(other, gone.Fence), Stop)).AllWithin();

            Assert.Equal(ids.Order(), Assert.Single(answers, static orphans => orphans.Count > 0).Order());
        }

        Assert.Equal(10, (await Store.ReadAllAsync(other, "t1")).Count);
    }

    [Fact]
    public async Task A_settled_host_that_wakes_changes_nothing()
    {
        var sleeper = await JoinAsync("sleeper");
        var other = await JoinAsync("other");
        var id = await sleeper.AddAsync();
        await SettleAsync(other, sleeper.Fence);
        var orphan = await Store.GetAsync(id, Stop);

        Assert.Equal(CommitStatus.Fenced, (await sleeper.CommitAsync(StoreHost.Finish(id))).Status);

        Assert.Equal(orphan, await Store.GetAsync(id, Stop));
        Assert.Single(await Store.ReadAllAsync(other, "t1"));
    }

    [Fact]
    public async Task The_end_and_the_giving_up_of_a_task_at_once_end_it_once()
    {
        var other = await JoinAsync("other");
        for (var round = 0; round < 60; round++)
        {
            var host = await JoinAsync("host");
            var thread = $"t{round}";
            var id = await host.AddAsync(thread);

            var finish = Task.Run(() => host.CommitAsync(StoreHost.Finish(id)), Stop);
            var settle = Task.Run(() => SettleAsync(other, host.Fence), Stop);
            var finished = (await finish.Within()).Status == CommitStatus.Landed;
            var orphans = await settle.Within();

            Assert.Equal(finished ? [] : [id], orphans);
            Assert.Equal(finished ? TaskState.Completed : TaskState.Failed, (await Store.GetAsync(id, Stop))!.State);
            Assert.Single(await Store.ReadAllAsync(other, thread));
        }
    }

    [Fact]
    public async Task A_host_that_left_leaves_its_live_tasks_for_the_next_that_joins()
    {
        var host = await JoinAsync("leaver");
        var id = await host.AddAsync();
        var ended = await host.AddAsync();
        await host.FinishAsync(ended);

        Assert.Equal(HostLeft.Instance, await host.AnswerAsync(new LeaveHost()));
        Assert.Equal(TaskState.Running, (await Store.GetAsync(id, Stop))!.State);

        var (next, orphans) = await StoreHost.JoinWithOrphansAsync(Store, "next");
        Assert.Equal([id], orphans);
        Assert.Equal(Orphaned, (await Store.GetAsync(id, Stop))!.Error);
        Assert.Empty((await StoreHost.JoinWithOrphansAsync(Store, "third")).Orphans);
        Assert.Equal(2, (await Store.ReadAllAsync(next, "t1")).Count);
    }

    [Fact]
    public async Task A_host_that_joins_does_not_settle_one_that_lives()
    {
        var host = await JoinAsync("host");
        var id = await host.AddAsync();

        Assert.Empty((await StoreHost.JoinWithOrphansAsync(Store, "next")).Orphans);
        await host.FinishAsync(id);
    }

    [Fact]
    public async Task Where_only_one_process_can_be_the_next_settles_what_the_last_left_running()
    {
        Assert.SkipUnless(Fixture.HasOneProcessAtATime, "Hosts of other processes may still live when one ends.");
        var host = await JoinAsync("host");
        var id = await host.AddAsync();
        await host.OpenAsync("t1");
        await ReopenAsync();

        var (next, orphans) = await StoreHost.JoinWithOrphansAsync(Store, "next");

        Assert.Equal([id], orphans);
        Assert.Equal([new TaskFailed(id, Orphaned)], (await Store.ReadAllAsync(next, "t1")).Select(static item => item.Event));
        Assert.Equal(CommitStatus.Fenced, (await new StoreHost(Store, host.Fence).CommitAsync(StoreHost.Task())).Status);
    }

    [Fact]
    public async Task An_orphans_events_stay_before_its_end_and_its_letters_are_dead()
    {
        var gone = await JoinAsync("gone");
        var other = await JoinAsync("other");
        var agent = await gone.AddAgentAsync("t1", "at", Guid.NewGuid());
        await gone.AnswerAsync(new PostEvents(agent, 0, Mailbag.ProgressRange(agent, 0, 2)));
        await gone.AnswerAsync(new SendMessage(agent, new MessageSender("t1", "planner"), "look", 10));

        await SettleAsync(other, gone.Fence);

        Assert.Equal(
            [Mailbag.Progress(agent, 0), Mailbag.Progress(agent, 1), new TaskFailed(agent, Orphaned)],
            (await Store.ReadAllAsync(other, "t1")).Select(static item => item.Event));
        Assert.Equal([1], (await Store.ListDeadLettersAsync("at", Stop)).Select(static letter => letter.Sequence));
        Assert.Empty(await Store.ReadAllAsync(other, "at"));
    }

    [Fact]
    public async Task The_mailboxes_of_a_host_that_is_gone_are_closed_and_of_others_not()
    {
        var settled = await JoinAsync("settled");
        var left = await JoinAsync("left");
        var other = await JoinAsync("other");
        var first = await settled.OpenAsync("t1");
        var second = await left.OpenAsync("t2");
        var third = await other.OpenAsync("t3");
        var takenOver = await settled.OpenAsync("t4");
        var taker = await other.OpenAsync("t4");

        await SettleAsync(other, settled.Fence);
        await left.AnswerAsync(new LeaveHost());

        Assert.False((await Store.ReadMailAsync("t1", first, 0, 1, Stop)).IsReader);
        Assert.False((await Store.ReadMailAsync("t2", second, 0, 1, Stop)).IsReader);
        Assert.True((await Store.ReadMailAsync("t3", third, 0, 1, Stop)).IsReader);
        Assert.False((await Store.ReadMailAsync("t4", takenOver, 0, 1, Stop)).IsReader);
        Assert.True((await Store.ReadMailAsync("t4", taker, 0, 1, Stop)).IsReader);
    }

    [Fact]
    public async Task A_heartbeat_names_the_caller_while_its_fence_is_open_and_not_after()
    {
        var host = await JoinAsync("host");
        var other = await JoinAsync("other");
        Assert.Contains(await Store.HeartbeatAsync(host.Fence, Stop).Within(), status => status.Fence == host.Fence && !status.HasLeft);

        await SettleAsync(other, host.Fence);

        Assert.DoesNotContain(await Store.HeartbeatAsync(host.Fence, Stop).Within(), status => status.Fence == host.Fence);
    }

    [Fact]
    public async Task Heartbeats_show_the_others_that_a_host_lives()
    {
        Assert.SkipUnless(Fixture.HostsWatchEachOther, "Hosts of this store do not watch each other.");
        var host = await JoinAsync("host");
        var other = await JoinAsync("other");
        await Store.HeartbeatAsync(host.Fence, Stop).Within();
        var first = await BeatsAsync(other, host.Fence);
        Assert.Equal(first, await BeatsAsync(other, host.Fence));

        await Store.HeartbeatAsync(host.Fence, Stop).Within();

        Assert.True(await BeatsAsync(other, host.Fence) > first);
    }

    [Fact]
    public async Task A_host_that_left_is_named_until_its_live_tasks_are_settled()
    {
        Assert.SkipUnless(Fixture.HostsWatchEachOther, "Hosts of this store do not watch each other.");
        var other = await JoinAsync("other");
        var idle = await JoinAsync("idle");
        var busy = await JoinAsync("busy");
        await busy.AddAsync();
        await idle.AnswerAsync(new LeaveHost());
        await busy.AnswerAsync(new LeaveHost());

        var hosts = await Store.HeartbeatAsync(other.Fence, Stop).Within();
        Assert.Contains(hosts, status => status.Fence == busy.Fence && status.HasLeft);
        Assert.DoesNotContain(hosts, status => status.Fence == idle.Fence);

        Assert.Single(await SettleAsync(other, busy.Fence));
        Assert.DoesNotContain(await Store.HeartbeatAsync(other.Fence, Stop).Within(), status => status.Fence == busy.Fence);
    }

    private static async Task<IReadOnlyList<string>> SettleAsync(StoreHost host, HostFence fence) =>
        Assert.IsType<HostSettled>(await host.AnswerAsync(new SettleHost(fence))).Orphans;

    private async Task<long> BeatsAsync(StoreHost asking, HostFence fence) =>
        (await Store.HeartbeatAsync(asking.Fence, Stop).Within()).Single(status => status.Fence == fence).Beats;
}
