namespace Coppice.StoreContract;

/// <summary>Law 7: cancellation has no gaps. The interleavings of cancel and spawn are in <see cref="Law07InterleavingsContract{TStore}"/>.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class Law07CancellationContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    [Fact]
    public async Task A_cancel_is_cooperative_observable_and_true_for_a_live_task()
    {
        var manager = await StartAsync();
        var finish = new Signal();
        var id = await manager.SpawnAsync("t1", Bodies.Only(finish), cancellationToken: Stop).Within();

        Assert.True(await manager.CancelAsync(id, Stop).Within());

        var requested = await manager.GetAsync(id, Stop);
        Assert.Equal((TaskState.Running, "user"), (requested!.State, requested.CancelledBy));
        Assert.NotNull(requested.CancelRequestedAt);
        Assert.True(await manager.HasRunningAsync("t1", Stop));
        Assert.True(await manager.CancelAsync(id, Stop).Within());
        finish.Set();
        await manager.WaitAsync(id, Stop).Within();
        Assert.False(await manager.CancelAsync(id, Stop).Within());
    }

    [Fact]
    public async Task Nothing_to_cancel_is_false_or_zero()
    {
        var manager = await StartAsync();
        Assert.False(await manager.CancelAsync("bg_0", Stop).Within());
        Assert.Equal(0, await manager.CancelTreeAsync("bg_0", Stop).Within());
        Assert.Equal(0, await manager.CancelThreadAsync("t1", Stop).Within());
        Assert.Equal(0, await manager.CancelRunAsync("r1", Stop).Within());
    }

    [Fact]
    public async Task A_tree_reaches_every_live_descendant_across_threads_and_hosts_and_through_ended_tasks()
    {
        var first = await StartAsync();
        var second = await StartAsync();
        var endMiddle = new Signal();
        var root = await ParkAsync(first, "t1");
        var middle = await first.SpawnAsync("t2", Bodies.Until(endMiddle), Under(root), Stop).Within();
        var below = await ParkAsync(second, "t3", middle);
        var stranger = await ParkAsync(first, "t1");
        endMiddle.Set();
        await first.WaitAsync(middle, Stop).Within();

        Assert.Equal(2, await first.CancelTreeAsync(root, Stop).Within());

        foreach (var id in new[] { root, below })
        {
            var ended = await second.WaitAsync(id, Stop).Within();
            Assert.Equal((TaskState.Cancelled, "tree:" + root), (ended.State, ended.CancelledBy));
        }

        Assert.Null((await first.GetAsync(middle, Stop))!.CancelRequestedAt);
        Assert.Null((await first.GetAsync(stranger, Stop))!.CancelRequestedAt);
    }

    [Fact]
    public async Task A_thread_reaches_its_tasks_and_their_trees()
    {
        var manager = await StartAsync();
        var root = await ParkAsync(manager, "t1");
        var child = await ParkAsync(manager, "t2", root);
        var stranger = await ParkAsync(manager, "t2");

        Assert.Equal(2, await manager.CancelThreadAsync("t1", Stop).Within());

        Assert.Equal("thread", (await manager.WaitAsync(root, Stop).Within()).CancelledBy);
        Assert.Equal("thread", (await manager.WaitAsync(child, Stop).Within()).CancelledBy);
        Assert.Null((await manager.GetAsync(stranger, Stop))!.CancelRequestedAt);
    }

    [Fact]
    public async Task A_run_reaches_its_tasks_without_a_parent_and_their_trees()
    {
        var manager = await StartAsync();
        var lineage = new TaskLineage { RunId = "r1" };
        var root = await manager.SpawnAsync("t1", Bodies.Park, new SpawnOptions { Lineage = lineage }, Stop).Within();
        var child = await ParkAsync(manager, "t2", root);
        var foreign = await ParkAsync(manager, "t1");
        var below = await manager.SpawnAsync("t1", Bodies.Park, new SpawnOptions { Lineage = lineage with { TaskId = foreign } }, Stop).Within();

        Assert.Equal(2, await manager.CancelRunAsync("r1", Stop).Within());

        Assert.Equal("run:r1", (await manager.WaitAsync(root, Stop).Within()).CancelledBy);
        Assert.Equal("run:r1", (await manager.WaitAsync(child, Stop).Within()).CancelledBy);
        Assert.Null((await manager.GetAsync(below, Stop))!.CancelRequestedAt);
    }

    [Fact]
    public async Task The_first_request_stays_and_later_ones_still_count_the_task()
    {
        var manager = await StartAsync();
        var finish = new Signal();
        var id = await manager.SpawnAsync("t1", Bodies.Only(finish), new SpawnOptions { Lineage = new TaskLineage { RunId = "r1" } }, Stop).Within();
        await manager.CancelThreadAsync("t1", Stop).Within();
        var first = await manager.GetAsync(id, Stop);

        Assert.True(await manager.CancelAsync(id, Stop).Within());
        Assert.Equal(1, await manager.CancelTreeAsync(id, Stop).Within());
        Assert.Equal(1, await manager.CancelThreadAsync("t1", Stop).Within());
        Assert.Equal(1, await manager.CancelRunAsync("r1", Stop).Within());

        Assert.Equal(first, await manager.GetAsync(id, Stop));
        finish.Set();
        Assert.Equal("thread", (await manager.WaitAsync(id, Stop).Within()).CancelledBy);
    }

    [Fact]
    public async Task A_cancel_by_one_host_reaches_the_body_on_another()
    {
        var runs = await StartAsync();
        var asks = await StartAsync();
        var id = await ParkAsync(runs, "t1");

        Assert.True(await asks.CancelAsync(id, Stop).Within());

        Assert.Equal((TaskState.Cancelled, "user"), State(await asks.WaitAsync(id, Stop).Within()));
    }

    [Fact]
    public async Task A_child_spawned_under_a_task_with_a_request_is_refused_also_after_it_has_ended()
    {
        var manager = await StartAsync();
        var other = await StartAsync();
        var finish = new Signal();
        var parent = await manager.SpawnAsync("t1", Bodies.Only(finish), cancellationToken: Stop).Within();
        await manager.CancelAsync(parent, Stop).Within();
        await RefusedAsync(manager, parent);
        await RefusedAsync(other, parent);
        finish.Set();
        await manager.WaitAsync(parent, Stop).Within();
        await RefusedAsync(manager, parent);
        await RefusedAsync(other, parent);
    }

    [Fact]
    public async Task A_body_that_was_cancelled_cannot_spawn_below_itself()
    {
        var manager = await StartAsync();
        var id = await manager.SpawnAsync("t1", async context =>
        {
            await context.WhenCancelledAsync();
            try
            {
                await context.Manager.SpawnAsync("t1", Bodies.Park, cancellationToken: Stop);
                return TaskOutcome.Failure("It spawned.");
            }
            catch (SpawnException refused)
            {
                return TaskOutcome.Success(refused.Error.ToString());
            }
        }, cancellationToken: Stop).Within();
        await manager.CancelAsync(id, Stop).Within();

        Assert.Equal("ParentCancelled", (await manager.WaitAsync(id, Stop).Within()).Result?.GetString());
    }

    [Fact]
    public async Task A_cancel_that_arrives_before_the_body_has_started_is_not_lost()
    {
        var store = new FaultyStore(Store);
        var manager = await StartAsync(store: store);
        var other = await StartAsync();
        foreach (var canceller in new[] { manager, other })
        {
            var thread = canceller == manager ? "t1" : "t2";
            var hold = store.Hold<AddTask>(FaultMoment.AfterCommit);
            var spawn = manager.SpawnAsync(thread, Bodies.Park, cancellationToken: Stop).AsTask();
            await hold.Reached.WaitAsync();
            var id = Assert.Single(await canceller.ListAsync(thread, Stop)).TaskId;

            Assert.True(await canceller.CancelAsync(id, Stop).Within());
            hold.Release();

            Assert.Equal(id, await spawn.Within());
            Assert.Equal((TaskState.Cancelled, "user"), State(await manager.WaitAsync(id, Stop).Within()));
        }
    }

    [Fact]
    public async Task A_cancel_that_arrives_while_the_answer_to_the_spawn_is_lost_is_not_lost_with_it()
    {
        var store = new FaultyStore(Store);
        var manager = await StartAsync(store: store);
        var other = await StartAsync();
        var hold = store.Hold<AddTask>(FaultMoment.AfterCommitUnseen);
        var spawn = manager.SpawnAsync("t1", Bodies.Park, cancellationToken: Stop).AsTask();
        await hold.Reached.WaitAsync();
        var id = Assert.Single(await other.ListAsync("t1", Stop)).TaskId;

        Assert.True(await other.CancelAsync(id, Stop).Within());
        hold.Release(new TaskStoreException("The test's store lost the answer.", isTransient: true));

        Assert.Equal(id, await spawn.Within());
        Assert.Equal((TaskState.Cancelled, "user"), State(await manager.WaitAsync(id, Stop).Within()));
    }

    [Fact]
    public async Task Callbacks_that_throw_harm_nobody()
    {
        var manager = await StartAsync();
        for (var i = 0; i < 3; i++)
        {
            var registered = new Signal();
            await manager.SpawnAsync("t1", async context =>
            {
                context.CancellationToken.Register(static () => throw new InvalidOperationException("A callback failed."));
                registered.Set();
                await context.WhenCancelledAsync();
                return TaskOutcome.Cancelled;
            }, cancellationToken: Stop).Within();
            await registered.WaitAsync();
        }

        Assert.Equal(3, await manager.CancelThreadAsync("t1", Stop).Within());

        foreach (var task in await manager.ListAsync("t1", Stop))
        {
            Assert.Equal((TaskState.Cancelled, "thread"), State(await manager.WaitAsync(task.TaskId, Stop).Within()));
        }
    }

    [Fact]
    public async Task Callbacks_that_block_hold_up_neither_the_canceller_nor_other_tasks()
    {
        var manager = await StartAsync();
        using var release = new ManualResetEventSlim();
        var registered = new Signal();
        var blocked = await manager.SpawnAsync("t1", async context =>
        {
            context.CancellationToken.Register(() => release.Wait(Wait.Guard));
            registered.Set();
            await context.WhenCancelledAsync();
            return TaskOutcome.Cancelled;
        }, cancellationToken: Stop).Within();
        await registered.WaitAsync();
        var free = await ParkAsync(manager, "t1");

        try
        {
            Assert.Equal(2, await manager.CancelThreadAsync("t1", Stop).Within());
            Assert.Equal(TaskState.Cancelled, (await manager.WaitAsync(free, Stop).Within()).State);
            var later = await ParkAsync(manager, "t1");
            Assert.True(await manager.CancelAsync(later, Stop).Within());
            Assert.Equal(TaskState.Cancelled, (await manager.WaitAsync(later, Stop).Within()).State);
        }
        finally
        {
            release.Set();
        }

        Assert.Equal(TaskState.Cancelled, (await manager.WaitAsync(blocked, Stop).Within()).State);
    }

    [Fact]
    public async Task Waiting_for_the_cancel_never_throws_and_the_token_stays_usable_after_the_end()
    {
        var manager = await StartAsync();
        var kept = new TaskCompletionSource<TaskContext>();
        var id = await manager.SpawnAsync("t1", async context =>
        {
            kept.SetResult(context);
            await context.WhenCancelledAsync();
            await context.WhenCancelledAsync();
            return TaskOutcome.Success(context.CancellationToken.IsCancellationRequested);
        }, cancellationToken: Stop).Within();
        await manager.CancelAsync(id, Stop).Within();

        Assert.True((await manager.WaitAsync(id, Stop).Within()).Result!.Value.GetBoolean());
        var token = (await kept.Task.Within()).CancellationToken;
        Assert.True(token.IsCancellationRequested);
        await token.Register(static () => { }).DisposeAsync();
    }

    [Fact]
    public async Task The_context_of_a_task_that_ended_uncancelled_can_still_be_asked()
    {
        var manager = await StartAsync();
        var kept = new TaskCompletionSource<TaskContext>();
        var id = await manager.SpawnAsync("t1", context =>
        {
            kept.SetResult(context);
            return Task.FromResult(TaskOutcome.Success("done"));
        }, cancellationToken: Stop).Within();
        await manager.WaitAsync(id, Stop).Within();
        var context = await kept.Task.Within();

        await context.CancellationToken.Register(static () => { }).DisposeAsync();
        Assert.Equal((id, "t1"), (context.TaskId, context.OwnerThreadId));
        Assert.Same(manager, context.Manager);
        Assert.False(context.Emit("progress", 1));
    }

    [Fact]
    public async Task While_the_store_is_out_of_reach_local_bodies_and_the_fence_are_signalled_all_the_same()
    {
        var store = new FaultyStore(Store);
        var manager = await StartAsync(store: store);
        var finish = new Signal();
        var signalled = new Countdown(2);
        var root = await manager.SpawnAsync("t1", async context =>
        {
            await context.WhenCancelledAsync();
            signalled.Add();
            await finish.Task;
            return TaskOutcome.Cancelled;
        }, cancellationToken: Stop).Within();
        var child = await manager.SpawnAsync("t2", async context =>
        {
            await context.WhenCancelledAsync();
            signalled.Add();
            await finish.Task;
            return TaskOutcome.Cancelled;
        }, Under(root), Stop).Within();
        store.Fail<RequestCancel>(FaultMoment.KnownBeforeCommit, times: int.MaxValue);

        await Assert.ThrowsAsync<TaskStoreException>(() => manager.CancelTreeAsync(root, Stop).Within());

        await signalled.WaitAsync();
        await RefusedAsync(manager, root);
        finish.Set();
        Assert.Equal((TaskState.Cancelled, "tree:" + root), State(await manager.WaitAsync(root, Stop).Within()));
        Assert.Equal((TaskState.Cancelled, "tree:" + root), State(await manager.WaitAsync(child, Stop).Within()));
    }

    [Theory]
    [InlineData("task", "user")]
    [InlineData("thread", "thread")]
    [InlineData("run", "run:r1")]
    public async Task Every_kind_of_cancel_signals_local_bodies_while_the_store_is_out_of_reach(string kind, string by)
    {
        var store = new FaultyStore(Store);
        var manager = await StartAsync(store: store);
        var id = await manager.SpawnAsync("t1", Bodies.Park, new SpawnOptions { Lineage = new TaskLineage { RunId = "r1" } }, Stop).Within();
        store.Fail<RequestCancel>(FaultMoment.KnownBeforeCommit, times: int.MaxValue);

        await Assert.ThrowsAsync<TaskStoreException>(async () =>
        {
            switch (kind)
            {
                case "task": await manager.CancelAsync(id, Stop).Within(); break;
                case "thread": await manager.CancelThreadAsync("t1", Stop).Within(); break;
                default: await manager.CancelRunAsync("r1", Stop).Within(); break;
            }
        });

        Assert.Equal((TaskState.Cancelled, by), State(await manager.WaitAsync(id, Stop).Within()));
    }

    [Theory]
    [InlineData("task a", "a")]
    [InlineData("tree a", "a b c")]
    [InlineData("tree gone", "h")]
    [InlineData("thread t1", "a b c d e")]
    [InlineData("run r1", "a b c")]
    [InlineData("run r2", "d e")]
    public async Task While_the_store_is_out_of_reach_a_cancel_signals_what_it_covers_and_nothing_else(string cancel, string covered)
    {
        var store = new FaultyStore(Store);
        var manager = await StartAsync(store: store);
        var finish = new Signal();
        var ids = new Dictionary<string, string>();
        var signalled = new System.Collections.Concurrent.ConcurrentBag<string>();
        var enough = new Countdown(covered.Split(' ').Length);
        await SpawnAsync("a", "t1", run: "r1");
        await SpawnAsync("b", "t2", parent: "a");
        await SpawnAsync("c", "t3", parent: "b");
        await SpawnAsync("d", "t1", run: "r2");
        await SpawnAsync("e", "t4", parent: "d", run: "r1");
        ids["gone"] = await manager.SpawnAsync("t5", Bodies.Done, cancellationToken: Stop).Within();
        await SpawnAsync("h", "t6", parent: "gone");
        await manager.WaitAsync(ids["gone"], Stop).Within();
        store.Fail<RequestCancel>(FaultMoment.KnownBeforeCommit, times: int.MaxValue);

        await Assert.ThrowsAsync<TaskStoreException>(() => CancelAsync());
        await Assert.ThrowsAsync<TaskStoreException>(() => manager.CancelAsync(ids[covered.Split(' ')[0]], Stop).Within());
        await enough.WaitAsync();

        Assert.Equal(covered.Split(' '), signalled.Order(StringComparer.Ordinal));
        finish.Set();
        var first = await manager.WaitAsync(ids[covered.Split(' ')[0]], Stop).Within();
        Assert.Equal(By(), first.CancelledBy);

        async Task SpawnAsync(string name, string thread, string? parent = null, string? run = null) => ids[name] = await manager.SpawnAsync(
            thread,
            async context =>
            {
                if (await Task.WhenAny(context.WhenCancelledAsync(), finish.Task) != finish.Task)
                {
                    signalled.Add(name);
                    enough.Add();
                    await finish.Task;
                }

                return TaskOutcome.Cancelled;
            },
            new SpawnOptions { Lineage = new TaskLineage { TaskId = parent is null ? null : ids[parent], RunId = run } },
            Stop).Within();

        Task CancelAsync() => cancel.Split(' ') switch
        {
            ["task", var task] => manager.CancelAsync(ids[task], Stop).Within(),
            ["tree", var root] => manager.CancelTreeAsync(ids[root], Stop).Within(),
            ["thread", var thread] => manager.CancelThreadAsync(thread, Stop).Within(),
            [_, var run] => manager.CancelRunAsync(run, Stop).Within(),
            _ => throw new ArgumentException(cancel, nameof(cancel)),
        };

        // The request that came first, though a second one covers the task too.
        string By() => cancel.Split(' ') switch
        {
            ["task", _] => "user",
            ["tree", var root] => "tree:" + ids[root],
            ["thread", _] => "thread",
            var run => "run:" + run[1],
        };
    }

    private static SpawnOptions Under(string? parent) => new() { Lineage = new TaskLineage { TaskId = parent } };

    private static (TaskState State, string? By) State(TaskSnapshot task) => (task.State, task.CancelledBy);

    private static Task<string> ParkAsync(BackgroundTaskManager manager, string thread, string? parent = null) =>
        manager.SpawnAsync(thread, Bodies.Park, Under(parent), Stop).Within();

    private static async Task RefusedAsync(BackgroundTaskManager manager, string parent)
    {
        var refused = await Assert.ThrowsAsync<SpawnException>(() => ParkAsync(manager, "t1", parent));
        Assert.Equal((SpawnError.ParentCancelled, "parent_cancelled"), (refused.Error, refused.Code));
    }
}
