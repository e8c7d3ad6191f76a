using System.Text.Json;

namespace Coppice.StoreContract;

/// <summary>An agent task may take on the thread of one that has ended: which one, and that it is free, is decided inside the commit.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class ContinuedAgentsContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    [Fact]
    public async Task What_a_task_says_of_itself_is_kept_also_after_its_end_and_the_end_of_the_process()
    {
        var host = await JoinAsync();
        var first = await host.AddAgentAsync("t1", "at", Guid.NewGuid());
        await host.FinishAsync(first);
        var next = Assert.IsType<TaskAdded>(await host.AnswerAsync(Continuing(first) with { Notify = NotifyPolicy.Silent })).TaskId;
        var plain = Assert.IsType<TaskAdded>(await host.AnswerAsync(StoreHost.Task() with { Notify = NotifyPolicy.EachEvent })).TaskId;
        await AssertSaysAsync(first, NotifyPolicy.DoneOnly, "at", null);
        await AssertSaysAsync(next, NotifyPolicy.Silent, "at", first);
        await AssertSaysAsync(plain, NotifyPolicy.EachEvent, null, null);

        await host.FinishAsync(next);
        await host.FinishAsync(plain);
        await ReopenAsync();

        await AssertSaysAsync(first, NotifyPolicy.DoneOnly, "at", null);
        await AssertSaysAsync(next, NotifyPolicy.Silent, "at", first);
        await AssertSaysAsync(plain, NotifyPolicy.EachEvent, null, null);
    }

    [Fact]
    public async Task The_change_feed_says_it_too()
    {
        var host = await JoinAsync();
        var listener = new RecordingListener();
        using var subscription = Store.Subscribe(listener);
        var first = await host.AddAgentAsync("t1", "at", Guid.NewGuid());
        await host.FinishAsync(first);

        var next = Assert.IsType<TaskAdded>(await host.AnswerAsync(Continuing(first) with { Notify = NotifyPolicy.EachEvent })).TaskId;
        await host.FinishAsync(next);

        Assert.Equal(
            [("at", first, NotifyPolicy.EachEvent), ("at", first, NotifyPolicy.EachEvent)],
            listener.Changes().Where(change => change.Task.TaskId == next)
                .Select(static change => (change.Task.AgentThreadId, change.Task.Continues, change.Task.Notify)));
    }

    [Fact]
    public async Task The_new_agent_gets_the_mail_of_the_thread_that_was_not_acknowledged()
    {
        var host = await JoinAsync();
        var reader = Guid.NewGuid();
        var first = await host.AddAgentAsync("t1", "at", reader);
        await host.FinishAsync(await host.AddAsync("at", parent: first));
        var unread = await host.AddAsync("at", parent: first);
        await host.FinishAsync(unread, TaskState.Cancelled);
        await Store.ReadAsync("at", reader);
        await host.AnswerAsync(new AcknowledgeMail("at", reader, 1));
        await host.FinishAsync(first);

        var next = Guid.NewGuid();
        await host.AnswerAsync(Continuing(first) with { AgentReader = next });

        Assert.Equal([new InboxItem(2, new TaskCancelled(unread))], await Store.ReadAsync("at", next));
        Assert.Equal(ReaderRefused.Instance, await host.RefusalAsync(new AcknowledgeMail("at", reader, 2)));
    }

    [Fact]
    public async Task Messages_go_to_the_new_agent_and_die_with_it_alone()
    {
        var host = await JoinAsync();
        var owner = new MessageSender("t1", "planner");
        var first = await host.AddAgentAsync("t1", "at", Guid.NewGuid());
        await host.AnswerAsync(new SendMessage(first, owner, "to the first", 10));
        await host.FinishAsync(first);
        var reader = Guid.NewGuid();
        var next = Assert.IsType<TaskAdded>(await host.AnswerAsync(Continuing(first) with { AgentReader = reader })).TaskId;

        await host.AnswerAsync(new SendMessage(next, owner, "to the next", 10));

        Assert.Equal([AgentMessage.Create(next, "planner", "to the next")], (await Store.ReadAsync("at", reader)).Select(static item => item.Event));
        await host.FinishAsync(next);
        Assert.Equal([1, 2], (await Store.ListDeadLettersAsync("at", Stop)).Select(static letter => letter.Sequence));
        Assert.False((await Store.ReadMailAsync("at", reader, 0, 10, Stop)).IsReader);
    }

    [Fact]
    public async Task Only_an_agent_task_of_the_same_owner_is_continued_and_on_its_own_thread()
    {
        var host = await JoinAsync();
        var agent = await host.AddAgentAsync("t1", "at", Guid.NewGuid());
        var plain = await host.AddAsync();
        await host.FinishAsync(agent);
        await host.FinishAsync(plain);
        var unknown = new AddRefused(SpawnError.ContinuesUnknown);

        Assert.Equal(unknown, await host.RefusalAsync(Continuing("bg_99")));
        Assert.Equal(unknown, await host.RefusalAsync(Continuing("elsewhere")));
        Assert.Equal(unknown, await host.RefusalAsync(Continuing(plain)));
        Assert.Equal(unknown, await host.RefusalAsync(Continuing(agent, owner: "t2")));
        Assert.Equal(unknown, await host.RefusalAsync(Continuing(agent, agentThread: "other")));
        Assert.Equal(unknown, await host.RefusalAsync(Continuing(agent) with { AgentThreadId = null }));
        Assert.Equal(2, (await Store.ListAsync(new TaskQuery(), null, 10, Stop)).Count);
    }

    [Fact]
    public async Task A_thread_with_a_live_agent_is_busy_whichever_of_its_agents_is_named()
    {
        var host = await JoinAsync();
        var busy = new AddRefused(SpawnError.AgentBusy);
        var first = await host.AddAgentAsync("t1", "at", Guid.NewGuid());
        Assert.Equal(busy, await host.RefusalAsync(Continuing(first)));
        await host.FinishAsync(first);
        var second = Assert.IsType<TaskAdded>(await host.AnswerAsync(Continuing(first))).TaskId;

        Assert.Equal(busy, await host.RefusalAsync(Continuing(first)));
        Assert.Equal(busy, await host.RefusalAsync(Continuing(second)));
        await host.FinishAsync(second, TaskState.Failed);
        var third = Assert.IsType<TaskAdded>(await host.AnswerAsync(Continuing(first))).TaskId;

        await AssertSaysAsync(third, NotifyPolicy.DoneOnly, "at", first);
    }

    [Fact]
    public async Task The_name_is_judged_before_what_is_continued()
    {
        var host = await JoinAsync();
        await host.AddAsync(name: "worker");

        Assert.Equal(new AddRefused(SpawnError.DuplicateName), await host.RefusalAsync(Continuing("bg_99") with { Name = "worker" }));
    }

    [Fact]
    public async Task Of_a_thousand_concurrent_continuations_one_wins()
    {
        var hosts = new[] { await JoinAsync("a"), await JoinAsync("b") };
        var agent = await hosts[0].AddAgentAsync("t1", "at", Guid.NewGuid());
        await hosts[0].FinishAsync(agent);

        var results = await Enumerable.Range(0, 1_000)
            .Select(i => Task.Run(() => hosts[i % 2].CommitAsync(Continuing(agent)), Stop))
            .AllWithin();

        Assert.Single(results, static result => result.Status == CommitStatus.Landed);
        Assert.All(
            results.Where(static result => result.Status != CommitStatus.Landed),
            static result => Assert.Equal([new AddRefused(SpawnError.AgentBusy)], result.Answers));
        Assert.Equal(2, (await Store.ListAsync(new TaskQuery(), null, 10, Stop)).Count);
    }

    [Fact]
    public async Task Two_continuations_in_one_batch_refuse_it()
    {
        var host = await JoinAsync();
        var agent = await host.AddAgentAsync("t1", "at", Guid.NewGuid());
        await host.FinishAsync(agent);

        var result = await host.CommitAsync(Continuing(agent), Continuing(agent));

        Assert.Equal(CommitStatus.Refused, result.Status);
        Assert.Equal([NotApplied.Instance, new AddRefused(SpawnError.AgentBusy)], result.Answers);
        await host.AnswerAsync(Continuing(agent));
    }

    [Fact]
    public async Task An_agent_that_became_an_orphan_is_continued_by_another_host()
    {
        var gone = await JoinAsync("gone");
        var host = await JoinAsync("next");
        var agent = await gone.AddAgentAsync("t1", "at", Guid.NewGuid());
        await host.AnswerAsync(new SettleHost(gone.Fence));

        Assert.IsType<TaskAdded>(await host.AnswerAsync(Continuing(agent)));
    }

    [Fact]
    public async Task An_agent_of_an_earlier_process_is_continued()
    {
        var host = await JoinAsync();
        var agent = await host.AddAgentAsync("t1", "at", Guid.NewGuid());
        await host.AnswerAsync(new LeaveHost());
        await ReopenAsync();
        host = await JoinAsync("next");

        var next = Assert.IsType<TaskAdded>(await host.AnswerAsync(Continuing(agent))).TaskId;

        Assert.Equal(TaskState.Failed, (await Store.GetAsync(agent, Stop))!.State);
        await AssertSaysAsync(next, NotifyPolicy.DoneOnly, "at", agent);
    }

    [Fact]
    public async Task An_agent_that_was_forgotten_is_not_continued()
    {
        var host = await JoinAsync();
        var agent = await host.AddAgentAsync("t1", "at", Guid.NewGuid());
        await host.FinishAsync(agent);
        await host.AnswerAsync(new PruneTasks(host.Now.AddDays(1)));

        Assert.Equal(new AddRefused(SpawnError.ContinuesUnknown), await host.RefusalAsync(Continuing(agent)));
    }

    [Fact]
    public async Task A_snapshot_brings_it_back()
    {
        var host = await JoinAsync();
        TaskSnapshot Ended(string id) => new() { TaskId = id, State = TaskState.Completed, CreatedAt = host.Now, CompletedAt = host.Now };
        TaskSnapshot[] tasks =
        [
            Ended("bg_3") with { Notify = NotifyPolicy.EachEvent },
            Ended("bg_4") with { Type = TaskTypes.SubAgent, AgentThreadId = "at" },
            Ended("bg_5") with { Type = TaskTypes.SubAgent, AgentThreadId = "at", Continues = "bg_4", Notify = NotifyPolicy.Silent },
            Ended("elsewhere") with { Type = TaskTypes.SubAgent, AgentThreadId = "at2", Continues = "long gone" },
        ];

        await host.AnswerAsync(new RestoreTasks("t1", tasks));

        foreach (var task in tasks)
        {
            Assert.Equal(task with { OwnerThreadId = "t1" }, await Store.GetAsync(task.TaskId, Stop));
        }

        Assert.Equal(
            new SendRefused(new SendReceipt(SendResult.TaskTerminated, TaskState.Completed)),
            await host.RefusalAsync(new SendMessage("bg_5", new MessageSender("t1", "planner"), "x", 10)));
        await host.AnswerAsync(Continuing("bg_5"));
        await host.AnswerAsync(Continuing("elsewhere", agentThread: "at2"));
    }

    [Fact]
    public async Task A_continued_agent_has_the_same_thread_and_its_mail()
    {
        var manager = await StartAsync();
        var threads = new List<string>();
        var child = "";
        var first = await manager.SpawnAgentAsync("t1", async agent =>
        {
            threads.Add(agent.ThreadId);
            child = await agent.Manager.SpawnAsync(agent.ThreadId, Bodies.Done, cancellationToken: Stop);
            await agent.Manager.WaitAsync(child, Stop);
            return TaskOutcome.Success("asks back");
        }, cancellationToken: Stop).Within();
        await manager.WaitAsync(first, Stop).Within();

        var next = await manager.SpawnAgentAsync("t1", async agent =>
        {
            threads.Add(agent.ThreadId);
            var item = await agent.Inbox.ReadAsync(Stop);
            return TaskOutcome.Success(((TaskCompleted)item.Event).TaskId);
        }, new SpawnOptions { Continues = first, Notify = NotifyPolicy.EachEvent }, Stop).Within();

        Assert.Equal(child, (await manager.WaitAsync(next, Stop).Within()).Result!.Value.GetString());
        Assert.Equal(threads[0], threads[1]);
        await AssertSaysAsync(next, NotifyPolicy.EachEvent, threads[0], first);
        Assert.Equal(threads[0], (await manager.GetAsync(first, Stop))!.AgentThreadId);
    }

    [Fact]
    public async Task A_refused_continuation_says_why_and_runs_nothing()
    {
        var manager = await StartAsync();
        var runs = 0;
        var live = await manager.SpawnAgentAsync("t1", Bodies.Park, cancellationToken: Stop).Within();
        var plain = await manager.SpawnAsync("t1", Bodies.Park, cancellationToken: Stop).Within();

        Task<SpawnException> RefusedAsync(string owner, string continues) => Assert.ThrowsAsync<SpawnException>(() => manager.SpawnAgentAsync(
            owner, _ => Task.FromResult(TaskOutcome.Success(Interlocked.Increment(ref runs))), new SpawnOptions { Continues = continues }, Stop).Within());

        var busy = await RefusedAsync("t1", live);
        Assert.Equal((SpawnError.AgentBusy, "agent_busy"), (busy.Error, busy.Code));
        Assert.Contains(live, busy.Message, StringComparison.Ordinal);
        foreach (var (owner, continues) in new[] { ("t1", "bg_99"), ("t2", live), ("t1", plain), ("t1", "no such \u202e task") })
        {
            var unknown = await RefusedAsync(owner, continues);
            Assert.Equal((SpawnError.ContinuesUnknown, "continues_unknown"), (unknown.Error, unknown.Code));
        }

        Assert.Equal(0, runs);
        Assert.Equal(2, (await manager.ListAsync("t1", Stop)).Count);
    }

    [Fact]
    public async Task What_cannot_be_continued_or_told_is_refused_before_any_io()
    {
        var store = new FaultyStore(Store);
        var manager = await StartAsync(store: store);
        var commits = store.Commits;

        Task<string> PlainAsync(SpawnOptions options) => manager.SpawnAsync("t1", Bodies.Done, options, Stop).Within();
        Task<string> AgentAsync(SpawnOptions options) => manager.SpawnAgentAsync("t1", Bodies.Done, options, Stop).Within();

        await Assert.ThrowsAsync<ArgumentException>(() => PlainAsync(new SpawnOptions { Continues = "bg_0" }));
        await Assert.ThrowsAsync<ArgumentException>(() => PlainAsync(new SpawnOptions { Notify = (NotifyPolicy)3 }));
        await Assert.ThrowsAsync<ArgumentException>(() => AgentAsync(new SpawnOptions { Notify = (NotifyPolicy)(-1) }));
        await Assert.ThrowsAsync<ArgumentException>(() => AgentAsync(new SpawnOptions { Continues = new string('x', 257) }));
        await Assert.ThrowsAsync<ArgumentException>(() => AgentAsync(new SpawnOptions { Continues = "bg_0\0" }));
        await Assert.ThrowsAsync<ArgumentException>(() => AgentAsync(new SpawnOptions { Continues = "bg_0" + (char)0xDC00 }));

        Assert.Equal(commits, store.Commits);
        await PlainAsync(new SpawnOptions { Continues = "" });
        await AgentAsync(new SpawnOptions { Continues = "" });
    }

    [Fact]
    public async Task What_a_task_says_of_itself_is_exported_and_restored()
    {
        var manager = await StartAsync();
        var first = await manager.SpawnAgentAsync("t1", Bodies.Done, new SpawnOptions { Notify = NotifyPolicy.EachEvent }, Stop).Within();
        await manager.WaitAsync(first, Stop).Within();
        var next = await manager.SpawnAgentAsync("t1", Bodies.Done, new SpawnOptions { Continues = first, Notify = NotifyPolicy.Silent }, Stop).Within();
        await manager.WaitAsync(next, Stop).Within();
        var exported = await manager.ExportAsync("t1", Stop).ToListAsync(Stop);
        await (await JoinAsync("other")).AnswerAsync(new PruneTasks(DateTimeOffset.MaxValue));
        Assert.Empty(await manager.ListAsync("t1", Stop));

        var read = exported.Select(static task => JsonSerializer.Deserialize<TaskSnapshot>(JsonSerializer.Serialize(task))!);
        await manager.RestoreAsync("t1", read, Stop).Within();

        Assert.Equal(exported, await manager.ExportAsync("t1", Stop).ToListAsync(Stop));
        Assert.Equal((first, NotifyPolicy.Silent), (exported[1].Continues, exported[1].Notify));
        Assert.Equal(exported[0].AgentThreadId, exported[1].AgentThreadId);
    }

    private static AddTask Continuing(string taskId, string owner = "t1", string agentThread = "at") =>
        StoreHost.Task(owner, type: TaskTypes.SubAgent) with { AgentThreadId = agentThread, AgentReader = Guid.NewGuid(), Continues = taskId };

    private async Task AssertSaysAsync(string taskId, NotifyPolicy notify, string? agentThread, string? continues)
    {
        var task = (await Store.GetAsync(taskId, Stop))!;
        Assert.Equal((notify, agentThread, continues), (task.Notify, task.AgentThreadId, task.Continues));
        Assert.Contains(task, await Store.ListAsync(new TaskQuery { OwnerThreadId = task.OwnerThreadId }, null, 100, Stop));
    }
}
