namespace Coppice.StoreContract;

/// <summary>Laws 4, 5 and 7 where a task is added: parent, depth, name and id are decided inside the commit.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class AddTaskContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    [Fact]
    public async Task A_task_is_stored_as_it_was_added()
    {
        var host = await JoinAsync();
        var lineage = new TaskLineage { TaskId = "ghost", RunId = "run-1", CallId = "call-1", AgentId = "planner" };

        var answer = await host.AnswerAsync(new AddTask
        {
            OwnerThreadId = "t1", Type = "crawl", Name = "researcher", Description = "fetch\npages", Lineage = lineage,
        });

        var id = Assert.IsType<TaskAdded>(answer).TaskId;
        var expected = new TaskSnapshot
        {
            TaskId = id, OwnerThreadId = "t1", Type = "crawl", Name = "researcher", Description = "fetch\npages",
            State = TaskState.Running, CreatedAt = host.Now, Lineage = lineage,
        };
        Assert.Equal(expected, await Store.GetAsync(id, Stop));
    }

    [Fact]
    public async Task Text_of_every_kind_comes_back_unchanged()
    {
        const string Odd = "ünï‮ 🌳 'quoted\" \\ %_* \u0001\t\r\n <b>&amp; ￿";
        var host = await JoinAsync();

        var answer = await host.AnswerAsync(new AddTask
        {
            OwnerThreadId = Odd, Type = Odd, Name = Odd, Description = Odd,
            Lineage = new TaskLineage { TaskId = Odd, RunId = Odd, CallId = Odd, AgentId = Odd },
        });

        var task = (await Store.GetAsync(((TaskAdded)answer).TaskId, Stop))!;
        Assert.Equal(
            [Odd, Odd, Odd, Odd, Odd, Odd, Odd, Odd],
            [task.OwnerThreadId, task.Type, task.Name!, task.Description, task.Lineage.TaskId!, task.Lineage.RunId!, task.Lineage.CallId!, task.Lineage.AgentId!]);
        Assert.True(await Store.HasLiveAsync(Odd, Stop));
        Assert.Equal([task], await Store.ListAsync(new TaskQuery { OwnerThreadId = Odd, Name = Odd, Type = Odd, RunId = Odd, ParentTaskId = Odd }, null, 10, Stop));
    }

    [Fact]
    public async Task Ids_count_up_from_zero()
    {
        var host = await JoinAsync();
        var numbers = new List<long>();
        for (var i = 0; i < 5; i++)
        {
            Assert.True(TaskIds.TryParse(await host.AddAsync($"t{i % 2}"), out var number));
            numbers.Add(number);
        }

        Assert.Equal(numbers.Order(), numbers);
        Assert.Equal(5, numbers.Distinct().Count());
        if (!Fixture.IdsMayHaveGaps)
        {
            Assert.Equal([0, 1, 2, 3, 4], numbers);
        }
    }

    [Fact]
    public async Task Ids_go_on_counting_after_the_end_of_the_process()
    {
        var host = await JoinAsync();
        Assert.True(TaskIds.TryParse(await host.AddAsync(), out var before));
        await ReopenAsync();
        host = await JoinAsync("next");

        Assert.True(TaskIds.TryParse(await host.AddAsync(), out var after));
        Assert.True(after > before, $"{after} was given after {before}.");
    }

    [Fact]
    public async Task A_thousand_concurrent_adds_of_one_name_add_one_task_and_take_one_id()
    {
        var hosts = new[] { await JoinAsync("a"), await JoinAsync("b") };

        var results = await Enumerable.Range(0, 1_000)
            .Select(i => Task.Run(() => hosts[i % 2].CommitAsync(StoreHost.Task(name: "worker")), Stop))
            .AllWithin();

        Assert.Single(results, static result => result.Status == CommitStatus.Landed);
        Assert.All(
            results.Where(static result => result.Status != CommitStatus.Landed),
            static result => Assert.Equal([new AddRefused(SpawnError.DuplicateName)], result.Answers));
        Assert.Single(await Store.ListAsync(new TaskQuery(), null, 10, Stop));
        if (!Fixture.IdsMayHaveGaps)
        {
            Assert.Equal("bg_1", await hosts[0].AddAsync());
        }
    }

    [Fact]
    public async Task Names_are_compared_ordinally_and_within_one_thread()
    {
        var host = await JoinAsync();
        await host.AddAsync("t1", "worker");

        await host.AddAsync("t1", "Worker");
        await host.AddAsync("t1", "worker\u200B");
        await host.AddAsync("t1", "e\u0301");
        await host.AddAsync("t1", "\u00e9");
        await host.AddAsync("t2", "worker");
        await host.AddAsync("t1");
        await host.AddAsync("t1");

        Assert.Equal(new AddRefused(SpawnError.DuplicateName), await host.RefusalAsync(StoreHost.Task("t1", "worker")));
    }

    [Fact]
    public async Task A_child_of_a_live_task_with_a_cancel_request_is_refused()
    {
        var host = await JoinAsync();
        var parent = await host.AddAsync();
        await host.AnswerAsync(new RequestCancel(CancelScope.Task, parent));

        Assert.Equal(new AddRefused(SpawnError.ParentCancelled), await host.RefusalAsync(StoreHost.Task(parent: parent)));
        Assert.Equal(new AddRefused(SpawnError.ParentCancelled), await host.RefusalAsync(StoreHost.Task("t2", parent: parent)));
    }

    [Theory]
    [InlineData(TaskState.Completed)]
    [InlineData(TaskState.Failed)]
    [InlineData(TaskState.Cancelled)]
    public async Task A_child_of_a_task_that_ended_after_its_cancel_request_is_refused(TaskState end)
    {
        var host = await JoinAsync();
        var parent = await host.AddAsync();
        await host.AnswerAsync(new RequestCancel(CancelScope.Task, parent));
        await host.FinishAsync(parent, end);

        Assert.Equal(new AddRefused(SpawnError.ParentCancelled), await host.RefusalAsync(StoreHost.Task(parent: parent)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public async Task A_child_under_ended_tasks_below_one_with_a_cancel_request_is_refused(int endedBetween)
    {
        var host = await JoinAsync();
        var root = await host.AddAsync();
        var parent = root;
        for (var i = 0; i < endedBetween; i++)
        {
            parent = await host.AddAsync(parent: parent);
        }

        for (var id = parent; id != root; id = (await Store.GetAsync(id, Stop))!.Lineage.TaskId!)
        {
            await host.FinishAsync(id);
        }

        await host.AddAsync(parent: parent);
        await host.AnswerAsync(new RequestCancel(CancelScope.Tree, root));

        Assert.Equal(new AddRefused(SpawnError.ParentCancelled), await host.RefusalAsync(StoreHost.Task(parent: parent)));
    }

    [Fact]
    public async Task A_request_on_one_task_alone_does_not_bind_its_live_childrens_children()
    {
        var host = await JoinAsync();
        var root = await host.AddAsync();
        var child = await host.AddAsync(parent: root);
        await host.AnswerAsync(new RequestCancel(CancelScope.Task, root));

        await host.AddAsync(parent: child);
    }

    [Fact]
    public async Task A_parent_that_ended_without_a_request_may_have_children()
    {
        var host = await JoinAsync();
        var parent = await host.AddAsync();
        await host.FinishAsync(parent, TaskState.Cancelled);

        var child = await host.AddAsync(parent: parent);

        Assert.Equal(parent, (await Store.GetAsync(child, Stop))!.Lineage.TaskId);
    }

    [Fact]
    public async Task A_parent_that_the_store_does_not_know_is_kept_and_counts_as_a_root()
    {
        var host = await JoinAsync();

        var answer = await host.AnswerAsync(StoreHost.Task(parent: "elsewhere") with { MaxDepth = 2 });

        var child = Assert.IsType<TaskAdded>(answer).TaskId;
        Assert.Equal("elsewhere", (await Store.GetAsync(child, Stop))!.Lineage.TaskId);
    }

    [Fact]
    public async Task A_tree_is_as_deep_as_it_may_be_and_no_deeper()
    {
        var host = await JoinAsync();
        string? parent = null;
        for (var depth = 1; depth <= 3; depth++)
        {
            parent = Assert.IsType<TaskAdded>(await host.AnswerAsync(StoreHost.Task(parent: parent) with { MaxDepth = 3 })).TaskId;
        }

        var refused = await host.RefusalAsync(StoreHost.Task(parent: parent) with { MaxDepth = 3 });

        Assert.Equal(new AddRefused(SpawnError.TooDeep), refused);
        await host.AnswerAsync(StoreHost.Task(parent: parent) with { MaxDepth = 4 });
    }

    [Fact]
    public async Task Depth_counts_through_ended_tasks_and_threads()
    {
        var host = await JoinAsync();
        var root = await host.AddAsync("t1");
        var child = await host.AddAsync("t2", parent: root);
        await host.FinishAsync(root);
        await host.FinishAsync(child);

        Assert.Equal(new AddRefused(SpawnError.TooDeep), await host.RefusalAsync(StoreHost.Task("t3", parent: child) with { MaxDepth = 2 }));
    }

    [Fact]
    public async Task The_parent_is_judged_before_the_depth_and_the_depth_before_the_name()
    {
        var host = await JoinAsync();
        var live = await host.AddAsync(name: "worker");
        var cancelled = await host.AddAsync();
        await host.AnswerAsync(new RequestCancel(CancelScope.Task, cancelled));

        Assert.Equal(
            new AddRefused(SpawnError.ParentCancelled),
            await host.RefusalAsync(StoreHost.Task(name: "worker", parent: cancelled) with { MaxDepth = 1 }));
        Assert.Equal(
            new AddRefused(SpawnError.TooDeep),
            await host.RefusalAsync(StoreHost.Task(name: "worker", parent: live) with { MaxDepth = 1 }));
        Assert.Equal(
            new AddRefused(SpawnError.DuplicateName),
            await host.RefusalAsync(StoreHost.Task(name: "worker", parent: live) with { MaxDepth = 2 }));
    }

    [Fact]
    public async Task An_agents_mailbox_is_open_for_it_from_the_same_commit()
    {
        var host = await JoinAsync();
        var reader = Guid.NewGuid();
        await host.AnswerAsync(new PostMessage("agent-thread", Mailbag.Message("early")));

        var agent = await host.AddAgentAsync("t1", "agent-thread", reader);
        await host.AnswerAsync(new SendMessage(agent, new MessageSender("t1", "planner"), "look", 10));

        var mail = await Store.ReadAsync("agent-thread", reader);
        Assert.Equal([1, 2], mail.Select(static item => item.Sequence));
        Assert.Equal(AgentMessage.Create(agent, "planner", "look"), mail[1].Event);
        Assert.Equal(TaskTypes.SubAgent, (await Store.GetAsync(agent, Stop))!.Type);
    }
}
