namespace Coppice.StoreContract;

/// <summary>Law 11: messages to agent tasks.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class Law11MessagesContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    private static readonly MessageSender Owner = new("t1", "planner");

    [Fact]
    public async Task A_sender_that_cannot_be_is_refused_before_anything_is_looked_up()
    {
        var manager = await StartAsync();
        var agent = await Agent.SpawnAsync(manager);

        foreach (var (from, name) in ((MessageSender, string)[])
            [(new("", "a"), "from.ThreadId"), (new("a\0b", "a"), "from.ThreadId"), (new("t1", new string('x', 257)), "from.AgentId"), (new("t1", null!), "from.AgentId")])
        {
            var error = await Assert.ThrowsAnyAsync<ArgumentException>(() => manager.SendAsync(agent.Id, from, "hello", Stop).Within());
            Assert.Equal(name, error.ParamName);
        }

        await Assert.ThrowsAnyAsync<ArgumentException>(() => manager.ListDeadLettersAsync("", Stop).Within());
        Assert.Empty(await agent.Context.Inbox.DrainAsync(Stop));
    }

    [Fact]
    public async Task A_message_comes_to_the_agents_own_thread_as_an_agent_message()
    {
        var manager = await StartAsync();
        var agent = await Agent.SpawnAsync(manager);

        Assert.Equal(new SendReceipt(SendResult.Delivered, null), await manager.SendAsync(agent.Id, Owner, "look at the diff", Stop).Within());
        await manager.SendAsync(agent.Id, Owner, "", Stop).Within();

        var mail = await agent.Context.Inbox.ReadAsync(2);
        Assert.Equal(AgentMessage.Create(agent.Id, "planner", "look at the diff"), mail[0].Event);
        Assert.Equal(AgentMessage.Create(agent.Id, "planner", ""), mail[1].Event);
        Assert.Equal("""{"from":"planner","content":"look at the diff"}""", ((CustomTaskEvent)mail[0].Event).Payload.GetRawText());
        Assert.NotEqual("t1", agent.Context.ThreadId);
        Assert.Equal("t1", agent.Context.OwnerThreadId);
        Assert.Equal(agent.Context.ThreadId, agent.Context.Inbox.ThreadId);
        Assert.Equal(TaskTypes.SubAgent, (await manager.GetAsync(agent.Id, Stop))!.Type);
    }

    [Fact]
    public async Task The_reasons_for_a_refusal_are_told_apart_in_order()
    {
        var manager = await StartAsync(static options => options.MaxUnreadMessages = 1);
        var stranger = new MessageSender("t2", "planner");
        var plain = await manager.SpawnAsync("t1", Bodies.Park, cancellationToken: Stop).Within();
        var ended = new Dictionary<TaskState, string>();
        foreach (var state in new[] { TaskState.Completed, TaskState.Failed, TaskState.Cancelled })
        {
            ended[state] = await manager.SpawnAsync("t1", _ => Bodies.As(state), cancellationToken: Stop).Within();
            await manager.WaitAsync(ended[state], Stop).Within();
        }

        var agent = await Agent.SpawnAsync(manager);

        Assert.Equal(SendResult.TaskNotFound, (await SendAsync(manager, "bg_99", stranger)).Result);
        Assert.Equal(SendResult.NotOwner, (await SendAsync(manager, agent.Id, stranger)).Result);
        Assert.Equal(new SendReceipt(SendResult.NotOwner, null), await SendAsync(manager, ended[TaskState.Failed], stranger));
        Assert.Equal(new SendReceipt(SendResult.NotOwner, null), await SendAsync(manager, plain, stranger));
        foreach (var (state, id) in ended)
        {
            Assert.Equal(new SendReceipt(SendResult.TaskTerminated, state), await SendAsync(manager, id, Owner));
        }

        Assert.Equal(new SendReceipt(SendResult.NoInbox, null), await SendAsync(manager, plain, Owner));
        Assert.Equal(SendResult.Delivered, (await SendAsync(manager, agent.Id, Owner)).Result);
        Assert.Equal(new SendReceipt(SendResult.InboxFull, null), await SendAsync(manager, agent.Id, Owner));
        agent.Context.CloseInbox();
        Assert.Equal(new SendReceipt(SendResult.InboxClosed, null), await SendAsync(manager, agent.Id, Owner));
        await agent.EndAsync(manager);
        Assert.Equal(new SendReceipt(SendResult.TaskTerminated, TaskState.Completed), await SendAsync(manager, agent.Id, Owner));
    }

    [Fact]
    public async Task The_sender_is_judged_by_the_thread_that_owns_the_task_not_by_the_agents_own()
    {
        var manager = await StartAsync();
        var agent = await Agent.SpawnAsync(manager);

        Assert.Equal(SendResult.NotOwner, (await SendAsync(manager, agent.Id, new MessageSender(agent.Context.ThreadId, "planner"))).Result);
        Assert.Equal(SendResult.NotOwner, (await SendAsync(manager, agent.Id, new MessageSender("T1", "planner"))).Result);
        Assert.Equal(SendResult.Delivered, (await SendAsync(manager, agent.Id, new MessageSender("t1", ""))).Result);
    }

    [Fact]
    public async Task A_message_of_another_host_arrives_too()
    {
        var manager = await StartAsync();
        var other = await StartAsync();
        var agent = await Agent.SpawnAsync(manager);
        var next = agent.Context.Inbox.ReadAsync(Stop).AsTask();

        Assert.Equal(SendResult.Delivered, (await SendAsync(other, agent.Id, Owner)).Result);

        Assert.Equal(AgentMessage.Create(agent.Id, "planner", "x"), (await next.Within()).Event);
    }

    [Fact]
    public async Task Messages_are_in_order_for_each_sender()
    {
        var managers = new[] { await StartAsync(), await StartAsync() };
        var agent = await Agent.SpawnAsync(managers[0]);
        await Enumerable.Range(0, 4).Select(sender => Task.Run(async () =>
        {
            for (var i = 0; i < 50; i++)
            {
                var receipt = await managers[sender % 2].SendAsync(agent.Id, new MessageSender("t1", $"{sender}"), $"{i}", Stop);
                Assert.Equal(SendResult.Delivered, receipt.Result);
            }
        }, Stop)).AllWithin();

        var mail = await agent.Context.Inbox.ReadAsync(200);
        Assert.Equal(Enumerable.Range(1, 200).Select(static n => (long)n), mail.Select(static item => item.Sequence));
        var messages = mail.Select(static item =>
        {
            Assert.True(AgentMessage.TryRead(item.Event, out var from, out var content));
            return (From: from, Content: content);
        });
        Assert.All(
            messages.GroupBy(static message => message.From),
            static sender => Assert.Equal(Enumerable.Range(0, 50).Select(static n => $"{n}"), sender.Select(static message => message.Content)));
    }

    [Fact]
    public async Task A_closed_inbox_gives_what_is_there_and_its_tasks_events_still_come()
    {
        var manager = await StartAsync();
        var agent = await Agent.SpawnAsync(manager);
        await SendAsync(manager, agent.Id, Owner);
        agent.Context.CloseInbox();
        agent.Context.CloseInbox();
        Assert.Equal(SendResult.InboxClosed, (await SendAsync(manager, agent.Id, Owner)).Result);
        var child = await manager.SpawnAsync(agent.Context.ThreadId, Bodies.Done, cancellationToken: Stop).Within();

        var mail = await agent.Context.Inbox.ReadAsync(2);

        Assert.IsType<CustomTaskEvent>(mail[0].Event);
        Assert.Equal(child, Assert.IsType<TaskCompleted>(mail[1].Event).TaskId);
    }

    [Fact]
    public async Task An_agents_inbox_can_be_taken_over_like_any_other()
    {
        var manager = await StartAsync();
        var agent = await Agent.SpawnAsync(manager);
        await SendAsync(manager, agent.Id, Owner);

        await using var taken = await manager.OpenInboxAsync(agent.Context.ThreadId, Stop);

        Assert.Single(await taken.DrainAsync(Stop));
        await Assert.ThrowsAsync<InboxTakenOverException>(() => agent.Context.Inbox.ReadAsync(Stop).Within());
        Assert.Equal(SendResult.Delivered, (await SendAsync(manager, agent.Id, Owner)).Result);
        await taken.ReadAsync(1);
    }

    [Fact]
    public async Task What_was_not_acknowledged_when_the_agent_ends_is_kept_as_dead_letters()
    {
        var manager = await StartAsync();
        var agent = await Agent.SpawnAsync(manager);
        for (var i = 1; i <= 3; i++)
        {
            await manager.SendAsync(agent.Id, Owner, $"{i}", Stop).Within();
        }

        await agent.Context.Inbox.ReadAsync(2);
        await agent.Context.Inbox.AckAsync(1, Stop);
        await agent.EndAsync(manager);

        var letters = await manager.ListDeadLettersAsync(agent.Context.ThreadId, Stop);
        Assert.Equal([2, 3], letters.Select(static letter => letter.Sequence));
        Assert.Equal(AgentMessage.Create(agent.Id, "planner", "2"), letters[0].Event);
        await using var inbox = await manager.OpenInboxAsync(agent.Context.ThreadId, Stop);
        Assert.Empty(await inbox.DrainAsync(Stop));
    }

    [Fact]
    public async Task Terminal_events_of_the_agents_tasks_stay_mail_of_its_thread()
    {
        var manager = await StartAsync();
        var agent = await Agent.SpawnAsync(manager);
        await SendAsync(manager, agent.Id, Owner);
        var before = await manager.SpawnAsync(agent.Context.ThreadId, Bodies.Done, cancellationToken: Stop).Within();
        await manager.WaitAsync(before, Stop).Within();
        var finish = new Signal();
        var after = await manager.SpawnAsync(agent.Context.ThreadId, Bodies.Only(finish), cancellationToken: Stop).Within();
        await agent.EndAsync(manager);
        finish.Set();
        await manager.WaitAsync(after, Stop).Within();

        await using var inbox = await manager.OpenInboxAsync(agent.Context.ThreadId, Stop);
        Assert.Equal([before, after], (await inbox.EventsAsync()).Select(static mail => Assert.IsType<TaskCompleted>(mail).TaskId));
    }

    [Fact]
    public async Task A_message_that_could_not_be_stored_was_not_delivered()
    {
        var store = new FaultyStore(Store);
        var manager = await StartAsync(store: store);
        var agent = await Agent.SpawnAsync(manager);
        store.Fail<SendMessage>(FaultMoment.BeforeCommit);

        await Assert.ThrowsAsync<TaskStoreException>(() => manager.SendAsync(agent.Id, Owner, "lost", Stop).Within());

        await manager.SendAsync(agent.Id, Owner, "kept", Stop).Within();
        Assert.Equal(AgentMessage.Create(agent.Id, "planner", "kept"), Assert.Single(await agent.Context.Inbox.EventsAsync()));
    }

    [Fact]
    public async Task Messages_outlive_the_process_as_dead_letters_of_the_orphan()
    {
        var first = await StartAsync(static options => options.ShutdownGracePeriod = TimeSpan.Zero);
        var agent = await Agent.SpawnAsync(first, stubborn: true);
        await SendAsync(first, agent.Id, Owner);
        var thread = agent.Context.ThreadId;
        await first.DisposeAsync().Within();
        await ReopenAsync();
        var second = await StartAsync();

        Assert.Single(await second.ListDeadLettersAsync(thread, Stop));
    }

    [Fact]
    public async Task Agents_talk_to_their_own_sub_agents_over_several_levels()
    {
        var manager = await StartAsync();
        var outer = await Agent.SpawnAsync(manager);
        var inner = await Agent.SpawnAsync(manager, owner: outer.Context.ThreadId, parent: outer.Id);

        Assert.Equal(SendResult.Delivered, (await SendAsync(manager, inner.Id, new MessageSender(outer.Context.ThreadId, "outer"))).Result);
        Assert.Equal(SendResult.NotOwner, (await SendAsync(manager, inner.Id, Owner)).Result);
        Assert.Equal("outer", ((CustomTaskEvent)(await inner.Context.Inbox.ReadAsync(1))[0].Event).Payload.GetProperty("from").GetString());
        await inner.EndAsync(manager);
        Assert.Equal(inner.Id, Assert.IsType<TaskCompleted>((await outer.Context.Inbox.ReadAsync(1))[0].Event).TaskId);
    }

    [Fact]
    public async Task A_parent_finds_its_live_children_by_id_and_by_name()
    {
        var manager = await StartAsync();
        var parent = await manager.SpawnAsync("t1", Bodies.Park, new SpawnOptions { Lineage = new TaskLineage { RunId = "r1" } }, Stop).Within();
        var lineage = new TaskLineage { TaskId = parent };
        var child = await manager.SpawnAsync("t2", Bodies.Park, new SpawnOptions { Name = "worker", Lineage = lineage }, Stop).Within();

        Assert.Equal(child, await manager.FindLiveChildAsync(lineage, child, Stop));
        Assert.Equal(child, await manager.FindLiveChildAsync(lineage, "worker", Stop));
        Assert.Equal(parent, await manager.FindLiveChildAsync(new TaskLineage { RunId = "r1" }, parent, Stop));
        Assert.Null(await manager.FindLiveChildAsync(new TaskLineage { RunId = "r1" }, child, Stop));
        Assert.Null(await manager.FindLiveChildAsync(lineage, "other", Stop));
        await manager.CancelAsync(child, Stop).Within();
        await manager.WaitAsync(child, Stop).Within();
        Assert.Null(await manager.FindLiveChildAsync(lineage, "worker", Stop));
    }

    private static Task<SendReceipt> SendAsync(BackgroundTaskManager manager, string taskId, MessageSender from) =>
        manager.SendAsync(taskId, from, "x", Stop).Within();

    private sealed class Agent
    {
        private readonly Signal _finish;

        public required string Id { get; init; }

        public required AgentTaskContext Context { get; init; }

        public static async Task<Agent> SpawnAsync(
            BackgroundTaskManager manager, string owner = "t1", string? parent = null, bool stubborn = false)
        {
            var context = new TaskCompletionSource<AgentTaskContext>();
            var finish = new Signal();
            var id = await manager.SpawnAgentAsync(owner, async agent =>
            {
                context.SetResult(agent);
                await Task.WhenAny(finish.Task, stubborn ? finish.Task : agent.WhenCancelledAsync());
                return TaskOutcome.Success("done");
            }, new SpawnOptions { Lineage = new TaskLineage { TaskId = parent } }, Stop).Within();
            return new Agent(finish) { Id = id, Context = await context.Task.Within() };
        }

        private Agent(Signal finish) => _finish = finish;

        public async Task EndAsync(BackgroundTaskManager manager)
        {
            _finish.Set();
            await manager.WaitAsync(Id, Stop).Within();
        }
    }
}
