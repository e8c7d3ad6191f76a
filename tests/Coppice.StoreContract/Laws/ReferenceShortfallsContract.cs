namespace Coppice.StoreContract;

/// <summary>Where the Rust original (awaken-runtime 0.4.0) falls short, as it was measured: none of it happens here.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class ReferenceShortfallsContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    [Fact]
    public async Task Two_concurrent_spawns_never_share_one_name()
    {
        var manager = await StartAsync();
        for (var round = 0; round < 100; round++)
        {
            var options = new SpawnOptions { Name = $"worker-{round}" };
            var spawns = await Enumerable.Range(0, 2).Select(_ => Task.Run(async () =>
            {
                try
                {
                    return await manager.SpawnAsync("t1", Bodies.Park, options, Stop);
                }
                catch (SpawnException)
                {
                    return null;
                }
            }, Stop)).AllWithin();
            Assert.Single(spawns, static id => id is not null);
        }
    }

    [Fact]
    public async Task A_body_that_throws_ends_frees_its_name_and_sends_its_event()
    {
        var manager = await StartAsync();
        var options = new SpawnOptions { Name = "worker" };
        var id = await manager.SpawnAsync("t1", (Func<TaskContext, Task>)(static _ => throw new InvalidOperationException("panic")), options, Stop).Within();

        Assert.Equal((TaskState.Failed, "panic"), StateOf(await manager.WaitAsync(id, Stop).Within()));
        Assert.False(await manager.HasRunningAsync("t1", Stop));
        await manager.SpawnAsync("t1", Bodies.Park, options, Stop).Within();
        await using var inbox = await manager.OpenInboxAsync("t1", Stop);
        Assert.Equal([new TaskFailed(id, "panic")], await inbox.EventsAsync());
    }

    [Fact]
    public async Task A_cancel_between_the_record_and_the_start_is_not_lost()
    {
        var store = new FaultyStore(Store);
        var manager = await StartAsync(store: store);
        var hold = store.Hold<AddTask>(FaultMoment.AfterCommit);
        var spawn = manager.SpawnAsync("t1", Bodies.Park, cancellationToken: Stop).AsTask();
        await hold.Reached.WaitAsync();
        Assert.Equal(1, await manager.CancelThreadAsync("t1", Stop).Within());
        hold.Release();

        Assert.Equal(TaskState.Cancelled, (await manager.WaitAsync(await spawn.Within(), Stop).Within()).State);
    }

    [Fact]
    public async Task As_completion_never_arrives_at_B()
    {
        var manager = await StartAsync();
        await using var a = await manager.OpenInboxAsync("A", Stop);
        await using var b = await manager.OpenInboxAsync("B", Stop);
        var id = await manager.SpawnAsync("A", Bodies.Done, cancellationToken: Stop).Within();
        await manager.WaitAsync(id, Stop).Within();

        Assert.Equal(id, ((TaskEvent)Assert.Single(await a.EventsAsync())).TaskId);
        Assert.Empty(await b.EventsAsync());
    }

    [Fact]
    public async Task After_a_restart_the_orphan_is_finished_and_its_id_is_not_used_again()
    {
        var first = await StartAsync(static options => options.ShutdownGracePeriod = TimeSpan.Zero);
        var lost = await first.SpawnAsync("t1", Bodies.Only(new Signal()), cancellationToken: Stop).Within();
        await first.DisposeAsync().Within();
        await ReopenAsync();
        var second = await StartAsync();

        var next = await second.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within();

        Assert.NotEqual(lost, next);
        Assert.Equal(TaskState.Failed, (await second.GetAsync(lost, Stop))!.State);
        Assert.Equal(2, (await second.ListAsync("t1", Stop)).Count);
    }

    [Fact]
    public async Task No_name_can_capture_messages_meant_for_a_task()
    {
        var manager = await StartAsync();
        var refused = await Assert.ThrowsAsync<SpawnException>(
            () => manager.SpawnAsync("t1", Bodies.Park, new SpawnOptions { Name = "bg_1" }, Stop).Within());
        Assert.Equal(SpawnError.ReservedName, refused.Error);
    }

    [Fact]
    public async Task A_spawn_call_given_up_half_way_leaves_no_task_that_nobody_can_cancel()
    {
        var manager = await StartAsync();
        for (var round = 0; round < 100; round++)
        {
            using var source = new CancellationTokenSource();
            var spawn = Task.Run(async () => await manager.SpawnAsync("t1", Bodies.Park, cancellationToken: source.Token), Stop);
            await Task.Run(source.Cancel, Stop).Within();
            await Task.WhenAny(spawn).Within();
        }

        await manager.CancelThreadAsync("t1", Stop).Within();
        foreach (var task in await manager.ListAsync("t1", Stop))
        {
            Assert.Equal(TaskState.Cancelled, (await manager.WaitAsync(task.TaskId, Stop).Within()).State);
        }
    }

    [Fact]
    public async Task Listings_come_in_the_order_of_creation()
    {
        var manager = await StartAsync();
        var ids = new List<string>();
        for (var i = 0; i < 50; i++)
        {
            ids.Add(await manager.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within());
        }

        for (var look = 0; look < 5; look++)
        {
            Assert.Equal(ids, (await manager.ListAsync("t1", Stop)).Select(static task => task.TaskId));
        }
    }

    [Fact]
    public async Task A_refused_completion_commit_sends_no_completed()
    {
        var store = new FaultyStore(Store);
        var manager = await StartAsync(store: store);
        await using var inbox = await manager.OpenInboxAsync("t1", Stop);
        store.Fail<FinishTask>(FaultMoment.BeforeCommit);
        var hold = store.Hold<FinishTask>(FaultMoment.BeforeCommit);
        var id = await manager.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within();
        await hold.Reached.WaitAsync();
        Assert.Empty(await inbox.EventsAsync());
        hold.Release();

        await manager.WaitAsync(id, Stop).Within();
        Assert.Single(await inbox.EventsAsync());
    }

    [Fact]
    public async Task A_tree_cancel_misses_no_child_spawned_while_it_walks()
    {
        var manager = await StartAsync();
        for (var round = 0; round < 50; round++)
        {
            var children = new System.Collections.Concurrent.ConcurrentBag<string>();
            var started = new Signal();
            var root = await manager.SpawnAsync("t1", async context =>
            {
                while (true)
                {
                    try
                    {
                        children.Add(await context.Manager.SpawnAsync("t1", Bodies.Park, cancellationToken: Stop));
                        started.Set();
                    }
                    catch (SpawnException)
                    {
                        return TaskOutcome.Cancelled;
                    }
                }
            }, cancellationToken: Stop).Within();
            await started.WaitAsync();

            await manager.CancelTreeAsync(root, Stop).Within();

            await manager.WaitAsync(root, Stop).Within();
            await children.Select(id => manager.WaitAsync(id, Stop)).AllWithin();
        }
    }

    [Fact]
    public async Task A_read_costs_no_more_beside_ten_thousand_tasks_than_beside_ten()
    {
        var manager = await StartAsync();
        await FillAsync(manager, 0, 10);
        var few = Allocated(manager);
        await FillAsync(manager, 10, 10_000);
        var many = Allocated(manager);

        // Copying all tasks ever recorded would take megabytes.
        Assert.True(many <= (few * 2) + 20_000, $"{few} bytes beside 10 tasks, {many} beside 10,000.");

        long Allocated(BackgroundTaskManager asked)
        {
            Read(asked);
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 20; i++)
            {
                Read(asked);
            }

            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        static void Read(BackgroundTaskManager asked)
        {
            Assert.NotNull(asked.GetAsync("bg_3", Stop).AsTask().GetAwaiter().GetResult());
            Assert.False(asked.HasRunningAsync("t1", Stop).AsTask().GetAwaiter().GetResult());
            Assert.Equal(SendResult.TaskTerminated, asked.SendAsync("bg_3", new MessageSender("t1", "a"), "x", Stop).AsTask().GetAwaiter().GetResult().Result);
            Assert.False(asked.CancelAsync("bg_3", Stop).AsTask().GetAwaiter().GetResult());
        }
    }

    private static (TaskState, string?) StateOf(TaskSnapshot task) => (task.State, task.Error);

    private static async Task FillAsync(BackgroundTaskManager manager, int first, int count)
    {
        var tasks = Enumerable.Range(first, count).Select(static i => new TaskSnapshot
        {
            TaskId = TaskIds.Format(i),
            State = TaskState.Completed,
            CreatedAt = DateTimeOffset.UnixEpoch,
            CompletedAt = DateTimeOffset.UnixEpoch,
        });
        Assert.Equal(count, (await manager.RestoreAsync("t1", tasks, Stop).Within()).Added);
    }
}
