namespace Coppice.StoreContract;

/// <summary>A cancel request ends what waits for a host in the same commit, and what runs as ever; no host gets a task between the two.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class WorkCancelContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    public static TheoryData<CancelScope> Scopes() => [CancelScope.Task, CancelScope.Tree, CancelScope.Thread, CancelScope.Run];

    [Theory]
    [MemberData(nameof(Scopes))]
    public async Task A_pending_task_ends_as_cancelled_with_the_request(CancelScope scope)
    {
        var host = await JoinAsync();
        var id = await host.AddWorkAsync(
            work: work => work with { DueAt = host.Now.AddHours(1), Deadline = host.Now.AddHours(2) },
            task: static task => task with { Name = "worker", Lineage = new TaskLineage { RunId = "run" } });
        var listener = new RecordingListener();
        using var subscription = Store.Subscribe(listener);
        host.Now += TimeSpan.FromSeconds(1);
        var cancel = Cancel(scope, id);

        Assert.Equal([id], Assert.IsType<CancelReached>(await host.AnswerAsync(cancel)).TaskIds);

        var task = await Store.GetAsync(id, Stop);
        Assert.Equal((TaskState.Cancelled, host.Now, host.Now, cancel.By), (task!.State, task.CompletedAt, task.CancelRequestedAt, task.CancelledBy));
        Assert.Equal((null, 0, null), (task.Error, task.Work!.Attempt, task.Work.DueAt));
        Assert.Contains(new RecordingListener.Heard("Ended", id), listener.Snapshot());
        Assert.Equal([TaskChangeKind.CancelRequested, TaskChangeKind.Ended], listener.Changes().Select(static change => change.Kind));
        Assert.Equal(listener.Changes().Select(static change => change.Revision).Order(), listener.Changes().Select(static change => change.Revision));
        Assert.Equal([new TaskCancelled(id)], (await Store.ReadAllAsync(host, "t1")).Select(static item => item.Event));
        Assert.False(await Store.HasLiveAsync("t1", Stop));
        Assert.Empty(Assert.IsType<CancelReached>(await host.AnswerAsync(cancel)).TaskIds);
        host.Now += TimeSpan.FromDays(1);
        var claimed = await host.ClaimAsync();
        Assert.Empty(claimed.Tasks);
        Assert.Equal((null, 0), (claimed.NextLook, claimed.Expired));
        await host.AddAsync(name: "worker");
    }

    [Theory]
    [MemberData(nameof(Scopes))]
    public async Task A_running_task_is_requested_and_its_host_told_as_ever(CancelScope scope)
    {
        var host = await JoinAsync();
        var id = await host.AddWorkAsync(task: static task => task with { Lineage = new TaskLineage { RunId = "run" } });
        var claimed = await host.ClaimOneAsync();
        var listener = new RecordingListener();
        using var subscription = Store.Subscribe(listener);

        Assert.Equal([id], Assert.IsType<CancelReached>(await host.AnswerAsync(Cancel(scope, id))).TaskIds);

        Assert.Equal(TaskState.Running, (await Store.GetAsync(id, Stop))!.State);
        Assert.Contains(new RecordingListener.Heard("CancelRequested", id, host.Fence.Epoch), listener.Snapshot());
        await host.FinishAsync(claimed, TaskState.Completed);
    }

    [Fact]
    public async Task A_cancel_of_a_tree_ends_what_is_pending_in_it_across_threads_and_requests_what_runs()
    {
        var host = await JoinAsync();
        var root = await host.AddAsync();
        var pending = await host.AddWorkAsync(thread: "t2", task: task => task with { Lineage = new TaskLineage { TaskId = root } });
        var agent = await host.AddWorkAsync(
            thread: "t3", task: task => task with { AgentThreadId = "at", Lineage = new TaskLineage { TaskId = pending } });
        var plain = await host.AddAsync("t4", parent: agent);
        var late = await host.AddWorkAsync(thread: "t5", work: work => work with { DueAt = host.Now.AddHours(1) }, task: task => task with { Lineage = new TaskLineage { TaskId = plain } });
        var running = await host.AddWorkAsync("other", "t2", task: task => task with { Lineage = new TaskLineage { TaskId = pending } });
        await host.ClaimOneAsync(new KindClaim("other"));
        var outside = await host.AddWorkAsync(thread: "t2");

        var reached = Assert.IsType<CancelReached>(await host.AnswerAsync(new RequestCancel(CancelScope.Tree, root))).TaskIds;

        Assert.Equal(new[] { root, pending, agent, plain, late, running }.Order(), reached.Order());
        foreach (var (id, state) in new[]
        {
            (root, TaskState.Running), (pending, TaskState.Cancelled), (agent, TaskState.Cancelled), (plain, TaskState.Running),
            (late, TaskState.Cancelled), (running, TaskState.Running), (outside, TaskState.Pending),
        })
        {
            var task = await Store.GetAsync(id, Stop);
            Assert.Equal((state, id == outside ? null : $"tree:{root}"), (task!.State, task.CancelledBy));
        }

        Assert.Equal([outside], (await host.ClaimAsync()).Tasks.Select(static each => each.Task.TaskId));
    }

    [Fact]
    public async Task A_cancel_in_a_batch_with_others_ends_what_is_pending()
    {
        var host = await JoinAsync();
        var root = await host.AddAsync();
        var first = await host.AddWorkAsync(thread: "t2", task: task => task with { Lineage = new TaskLineage { TaskId = root } });
        var second = await host.AddWorkAsync(thread: "t3");

        var result = await host.CommitAsync(
            new RequestCancel(CancelScope.Tree, root), new PostMessage("t4", Mailbag.Message("x")), new RequestCancel(CancelScope.Task, second));

        Assert.Equal(CommitStatus.Landed, result.Status);
        Assert.All(
            new[] { await Store.GetAsync(first, Stop), await Store.GetAsync(second, Stop) }, static task => Assert.Equal(TaskState.Cancelled, task!.State));
    }

    [Fact]
    public async Task A_pending_task_without_a_kind_is_requested_only()
    {
        var host = await JoinAsync();
        var id = await host.AddAsync(state: TaskState.Pending);

        await host.AnswerAsync(new RequestCancel(CancelScope.Thread, "t1"));

        Assert.Equal(TaskState.Pending, (await Store.GetAsync(id, Stop))!.State);
        await host.FinishAsync(id, TaskState.Cancelled);
    }

    [Fact]
    public async Task Nothing_is_added_below_a_pending_task_that_was_cancelled()
    {
        var host = await JoinAsync();
        var id = await host.AddWorkAsync();
        await host.AnswerAsync(new RequestCancel(CancelScope.Task, id));

        Assert.Equal(
            new AddRefused(SpawnError.ParentCancelled),
            await host.RefusalAsync(StoreHost.WorkTask(task: task => task with { Lineage = new TaskLineage { TaskId = id } })));
    }

    [Theory]
    [MemberData(nameof(Scopes))]
    public async Task A_claim_and_a_cancel_at_once_either_start_the_task_and_tell_its_host_or_end_it(CancelScope scope)
    {
        var host = await JoinAsync();
        var other = await JoinAsync("other");
        for (var round = 0; round < 100; round++)
        {
            var thread = $"t{round}";
            var id = await other.AddWorkAsync(thread: thread, task: task => task with { Lineage = new TaskLineage { RunId = "r-" + thread } });
            var listener = new RecordingListener { WantsChanges = round % 2 == 0 };
            using var subscription = Store.Subscribe(listener);

            var claim = Task.Run(() => host.ClaimAsync(), Stop);
            var cancel = Task.Run(() => other.AnswerAsync(Cancel(scope, id, thread, "r-" + thread)), Stop);
            var claimed = (await claim.Within()).Tasks;
            Assert.Equal([id], Assert.IsType<CancelReached>(await cancel.Within()).TaskIds);

            var task = await Store.GetAsync(id, Stop);
            if (claimed is [var attempt])
            {
                Assert.Equal(TaskState.Running, task!.State);
                Assert.Contains(new RecordingListener.Heard("CancelRequested", id, host.Fence.Epoch), listener.Snapshot());
                Assert.Null(attempt.Task.CancelRequestedAt);
                Assert.Equal(TaskState.Cancelled, await host.HandBackAsync(attempt));
            }
            else
            {
                Assert.Equal(TaskState.Cancelled, task!.State);
                Assert.DoesNotContain(listener.Changes(), static change => change.Task.State == TaskState.Running);
            }

            Assert.Single(await Store.ReadAllAsync(other, thread));
            Assert.Single(listener.Snapshot(), heard => heard.What == "Ended");
        }

        Assert.Empty((await host.ClaimAsync(100, new KindClaim("k") { MaxRunning = 1 })).Tasks);
    }

    [Fact]
    public async Task Tasks_spawned_claimed_and_cancelled_by_many_at_once_all_end_once_and_leave_no_room_taken()
    {
        const int Rounds = 60;
        var hosts = new[] { await JoinAsync("a"), await JoinAsync("b"), await JoinAsync("c") };
        var limit = new KindClaim("k") { MaxRunning = 4, MaxRunningPerThread = 2 };
        var done = false;
        var spawning = Task.Run(
            async () =>
            {
                for (var i = 0; i < Rounds * 5; i++)
                {
                    await hosts[2].AddWorkAsync(
                        thread: $"t{i % 3}",
                        work: work => work with { DueAt = i % 7 == 0 ? hosts[2].Now.AddDays(1) : null },
                        task: task => task with { Lineage = new TaskLineage { RunId = $"r{i % 5}" }, AgentThreadId = i % 4 == 0 ? $"at{i % 8}" : null });
                }

                Volatile.Write(ref done, true);
            },
            Stop);
        var cancelling = Task.Run(
            async () =>
            {
                for (var i = 0; i < Rounds; i++)
                {
                    await hosts[2].AnswerAsync(i % 2 == 0 ? new RequestCancel(CancelScope.Thread, $"t{i % 3}") : new RequestCancel(CancelScope.Run, $"r{i % 5}"));
                }
            },
            Stop);
        var claiming = hosts[..2].Select(host => Task.Run(
            async () =>
            {
                while (!Volatile.Read(ref done) || !cancelling.IsCompleted)
                {
                    foreach (var claimed in (await host.ClaimAsync(3, limit)).Tasks)
                    {
                        await host.HandBackAsync(claimed, error: "again");
                    }
                }
            },
            Stop));

        await claiming.Append(spawning).Append(cancelling).AllWithin();
        foreach (var thread in new[] { "t0", "t1", "t2" })
        {
            await hosts[2].AnswerAsync(new RequestCancel(CancelScope.Thread, thread));
        }

        var tasks = (await Store.ListAsync(new TaskQuery { Kind = "k" }, null, 10_000, Stop)).ToList();
        Assert.Equal(Rounds * 5, tasks.Count);
        Assert.All(tasks, static task => Assert.Equal(TaskState.Cancelled, task.State));
        var mail = new List<string>();
        foreach (var thread in new[] { "t0", "t1", "t2" })
        {
            mail.AddRange((await Store.ReadAllAsync(hosts[0], thread)).Select(static item => item.Event).OfType<TaskCancelled>().Select(static end => end.TaskId));
        }

        Assert.Equal(tasks.Select(static task => task.TaskId).Order(), mail.Order());
        await hosts[0].CommitAsync([.. Enumerable.Range(0, 4).Select(static i => StoreHost.WorkTask("k", $"n{i}"))]);
        Assert.Equal(4, (await hosts[0].ClaimAsync(100, limit)).Tasks.Count);
    }

    private static RequestCancel Cancel(CancelScope scope, string id, string thread = "t1", string? run = null) => scope switch
    {
        CancelScope.Thread => new RequestCancel(scope, thread),
        CancelScope.Run => new RequestCancel(scope, run ?? "run"),
        _ => new RequestCancel(scope, id),
    };
}
