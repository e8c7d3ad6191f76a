namespace Coppice.StoreContract;

/// <summary>What a claim makes of a task of a registered kind, who has it then, and what only its attempt may store.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class ClaimWorkContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    public static TheoryData<string> AttemptWrites() => ["finish", "move", "events", "close inbox", "hand back", "step", "checkpoint"];

    [Fact]
    public async Task A_task_of_a_kind_starts_pending_whatever_it_was_to_start_as_and_no_host_has_it()
    {
        var host = await JoinAsync();
        var id = await host.AddWorkAsync(task: task => task with { State = TaskState.Running });

        var task = await Store.GetAsync(id, Stop);
        Assert.Equal(TaskState.Pending, task!.State);
        Assert.True(await Store.HasLiveAsync("t1", Stop));
        Assert.Equal(new MoveRefused(null), await host.RefusalAsync(StoreHost.Finish(id)));
        Assert.Equal(new MoveRefused(null), await host.RefusalAsync(new MoveTask(id, TaskState.Running)));
        Assert.Equal(task, await Store.GetAsync(id, Stop));
    }

    [Fact]
    public async Task A_task_says_what_its_work_is()
    {
        const string Input = """{"b":1.50,"a":[1e3,null,"\u00e9"]}""";
        var host = await JoinAsync();
        var work = new NewWork
        {
            Kind = "summarise", Version = 3, Input = Mailbag.Json(Input), Recovery = RecoveryPolicy.Resumable, MaxCrashes = 5, Priority = -7,
            DueAt = host.Now.AddMinutes(1).AddTicks(1), Deadline = host.Now.AddMinutes(2), IdempotencyKey = "key",
        };

        var task = await Store.GetAsync(await host.AddWorkAsync(work: _ => work), Stop);

        Assert.Equal(Input, task!.Work!.Input.GetRawText());
        Assert.Equal(
            new TaskWork
            {
                Kind = "summarise", Version = 3, Input = Mailbag.Json(Input), Recovery = RecoveryPolicy.Resumable, Priority = -7,
                DueAt = host.Now.AddMinutes(1), Deadline = host.Now.AddMinutes(2), IdempotencyKey = "key",
            },
            task.Work);
        await ReopenAsync();
        Assert.Equal(task, await Store.GetAsync(task.TaskId, Stop));
        Assert.Equal([task], await Store.ListAsync(new TaskQuery { Kind = "summarise" }, null, 10, Stop));
        Assert.Equal([task], await Store.ListAsync(new TaskQuery { States = [TaskState.Pending] }, null, 10, Stop));
        Assert.Empty(await Store.ListAsync(new TaskQuery { Kind = "Summarise" }, null, 10, Stop));
        Assert.Empty(await Store.ListAsync(new TaskQuery { States = [TaskState.Running] }, null, 10, Stop));
    }

    [Fact]
    public async Task A_claimed_task_runs_as_the_claiming_hosts_first_attempt()
    {
        var spawner = await JoinAsync("spawner");
        var host = await JoinAsync("worker");
        var id = await spawner.AddWorkAsync(work: work => work with { Input = Mailbag.Json("[1]"), Deadline = spawner.Now.AddDays(1) });

        var claimed = await host.ClaimOneAsync();

        Assert.Equal(await Store.GetAsync(id, Stop), claimed.Task);
        Assert.Equal((id, TaskState.Running, 1), (claimed.Task.TaskId, claimed.Task.State, claimed.Task.Work!.Attempt));
        Assert.True(claimed.Claim > 0, "A claim has a number.");
        Assert.Equal(0, claimed.Steps);
        Assert.Null(claimed.Checkpoint);
        Assert.Empty((await host.ClaimAsync()).Tasks);
        await host.FinishAsync(claimed);
        Assert.Equal(TaskState.Completed, (await Store.GetAsync(id, Stop))!.State);
        Assert.Equal([new TaskCompleted(id, null)], (await Store.ReadAllAsync(host, "t1")).Select(static item => item.Event));
    }

    [Fact]
    public async Task Claims_have_numbers_that_grow_and_no_other_claim_has_also_after_a_restart()
    {
        var host = await JoinAsync();
        var claims = new List<long>();
        for (var round = 0; round < 3; round++)
        {
            await host.AddWorkAsync();
            await host.AddWorkAsync();
            var claimed = (await host.ClaimAsync()).Tasks;
            claims.AddRange(claimed.Select(static each => each.Claim));
            await host.HandBackAsync(claimed[0]);
            claims.Add((await host.ClaimOneAsync()).Claim);
            await ReopenAsync();
            host = await JoinAsync();
        }

        Assert.Equal(9, claims.Count);
        Assert.Equal(claims.Order().Distinct(), claims);
    }

    [Fact]
    public async Task A_claim_takes_no_more_than_it_asks_for_and_the_next_takes_the_rest()
    {
        var host = await JoinAsync();
        var ids = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            ids.Add(await host.AddWorkAsync());
        }

        Assert.Equal(ids[..2], Ids(await host.ClaimAsync(2)));
        Assert.Empty((await host.ClaimAsync(0)).Tasks);
        Assert.Equal(ids[2..], Ids(await host.ClaimAsync()));
    }

    [Fact]
    public async Task Only_kinds_that_are_asked_for_are_claimed_and_the_others_that_are_ready_are_named()
    {
        var host = await JoinAsync();
        var known = await host.AddWorkAsync("known");
        await host.AddWorkAsync("strange");
        await host.AddWorkAsync("strange", "t2");
        await host.AddWorkAsync("later", work: work => work with { DueAt = host.Now.AddHours(1) });

        var claimed = await host.ClaimAsync(100, new KindClaim("known"), new KindClaim("absent"));

        Assert.Equal([known], Ids(claimed));
        Assert.Equal(["strange"], claimed.UnknownKinds);
        Assert.Empty((await host.ClaimAsync(100, new KindClaim("strange"))).UnknownKinds);
    }

    [Fact]
    public async Task A_task_of_a_newer_version_than_the_host_knows_is_left_for_one_that_knows_it()
    {
        var host = await JoinAsync();
        var newer = await host.AddWorkAsync(work: static work => work with { Version = 3, Priority = 9 });
        var older = await host.AddWorkAsync(work: static work => work with { Version = 1 });
        var same = await host.AddWorkAsync(work: static work => work with { Version = 2 });

        var claimed = await host.ClaimAsync(100, new KindClaim("k") { MaxVersion = 2 });

        Assert.Equal([older, same], Ids(claimed));
        Assert.Empty(claimed.UnknownKinds);
        Assert.Equal([newer], Ids(await host.ClaimAsync(100, new KindClaim("k") { MaxVersion = 3 })));
    }

    [Fact]
    public async Task A_claim_in_a_batch_with_anything_else_is_a_mistake_of_the_caller()
    {
        var host = await JoinAsync();
        var id = await host.AddWorkAsync();

        await Assert.ThrowsAsync<ArgumentException>(() => host.CommitAsync(new ClaimWork([new KindClaim("k")], 1), StoreHost.Task()));

        Assert.Equal(TaskState.Pending, (await Store.GetAsync(id, Stop))!.State);
    }

    [Fact]
    public async Task A_fenced_host_claims_nothing()
    {
        var host = await JoinAsync();
        var gone = await JoinAsync("gone");
        var id = await host.AddWorkAsync();
        await host.AddWorkAsync(work: work => work with { Deadline = host.Now });
        await gone.AnswerAsync(new LeaveHost());

        Assert.Equal(CommitStatus.Fenced, (await gone.CommitAsync(new ClaimWork([new KindClaim("k")], 10))).Status);

        Assert.Equal(TaskState.Pending, (await Store.GetAsync(id, Stop))!.State);
        var claimed = await host.ClaimAsync();
        Assert.Equal([id], Ids(claimed));
        Assert.Equal(1, claimed.Expired);
    }

    [Theory]
    [MemberData(nameof(AttemptWrites))]
    public async Task Only_the_attempt_that_has_a_task_can_write_for_it(string write)
    {
        var host = await JoinAsync();
        var other = await JoinAsync("other");
        await host.AddWorkAsync();
        var first = await host.ClaimOneAsync();
        await host.HandBackAsync(first, error: "failed");
        var second = await host.ClaimOneAsync();
        var before = await Store.GetAsync(first.Task.TaskId, Stop);

        foreach (var claim in new[] { 0, first.Claim, second.Claim + 1 })
        {
            Assert.Equal(new MoveRefused(null), await host.RefusalAsync(Write(write, second.Task.TaskId, claim)));
        }

        Assert.Equal(new MoveRefused(null), await other.RefusalAsync(Write(write, second.Task.TaskId, second.Claim)));
        Assert.Equal(before, await Store.GetAsync(first.Task.TaskId, Stop));
        Assert.Empty(await Store.ReadAllAsync(other, "t1"));
        Assert.Empty(await Store.ReadStepsAsync(first.Task.TaskId, 0, 10, Stop));
        await host.AnswerAsync(Write(write, second.Task.TaskId, second.Claim));
    }

    [Theory]
    [MemberData(nameof(AttemptWrites))]
    public async Task A_pending_task_takes_no_write_of_any_attempt(string write)
    {
        var host = await JoinAsync();
        var id = await host.AddWorkAsync();
        Assert.Equal(new MoveRefused(null), await host.RefusalAsync(Write(write, id, 0)));
        Assert.Equal(new MoveRefused(null), await host.RefusalAsync(Write(write, id, 1)));
        var first = await host.ClaimOneAsync();
        await host.HandBackAsync(first);

        Assert.Equal(new MoveRefused(null), await host.RefusalAsync(Write(write, id, 0)));
        Assert.Equal(new MoveRefused(null), await host.RefusalAsync(Write(write, id, first.Claim)));
        Assert.Equal(TaskState.Pending, (await Store.GetAsync(id, Stop))!.State);
    }

    [Theory]
    [MemberData(nameof(AttemptWrites))]
    public async Task A_task_without_a_kind_knows_no_claims_and_no_attempts(string write)
    {
        var host = await JoinAsync();
        var id = await host.AddAsync();

        Assert.Equal(new MoveRefused(null), await host.RefusalAsync(Write(write, id, 1)));
        if (write is "hand back" or "step" or "checkpoint")
        {
            Assert.Equal(new MoveRefused(null), await host.RefusalAsync(Write(write, id, 0)));
        }
        else
        {
            await host.AnswerAsync(Write(write, id, 0));
        }
    }

    [Fact]
    public async Task The_events_of_each_attempt_are_counted_anew()
    {
        var host = await JoinAsync();
        var id = await host.AddWorkAsync();
        var first = await host.ClaimOneAsync();
        await host.AnswerAsync(new PostEvents(id, 0, Mailbag.ProgressRange(id, 0, 2)) { Claim = first.Claim });
        await host.HandBackAsync(first);
        var second = await host.ClaimOneAsync();

        await host.AnswerAsync(new PostEvents(id, 0, Mailbag.ProgressRange(id, 10, 1)) { Claim = second.Claim });
        await host.AnswerAsync(new PostEvents(id, 0, Mailbag.ProgressRange(id, 10, 2)) { Claim = second.Claim });

        Assert.Equal([0, 1, 10, 11], (await Store.ReadAllAsync(host, "t1")).Select(static item => Mailbag.Number(item.Event)));
    }

    [Fact]
    public async Task A_claim_has_landed_before_anybody_hears_that_the_task_runs()
    {
        var host = await JoinAsync();
        var id = await host.AddWorkAsync();
        var order = new List<string>();
        var listener = new RecordingListener { OnHeard = heard => order.Add(heard.What) };
        using var subscription = Store.Subscribe(listener);

        await Store.CommitAsync(host.Batch(_ => order.Add("landed"), new ClaimWork([new KindClaim("k")], 1)), Stop).Within();

        Assert.Equal(["landed", "Change"], order);
        var change = Assert.Single(listener.Changes());
        Assert.Equal(TaskChangeKind.Moved, change.Kind);
        Assert.Equal(await Store.GetAsync(id, Stop), change.Task);
    }

    [Fact]
    public async Task Hosts_that_claim_at_once_never_get_the_same_task_and_all_are_claimed()
    {
        const int Tasks = 400;
        var hosts = new[] { await JoinAsync("a"), await JoinAsync("b"), await JoinAsync("c"), await JoinAsync("d") };
        var adding = Task.Run(
            async () =>
            {
                for (var i = 0; i < Tasks; i++)
                {
                    await hosts[0].AddWorkAsync(thread: $"t{i % 7}", work: work => work with { Priority = i % 3 });
                }
            },
            Stop);

        var claims = new System.Collections.Concurrent.ConcurrentBag<ClaimedWork>();
        await hosts.Select((host, number) => Task.Run(
            async () =>
            {
                while (claims.Count < Tasks)
                {
                    foreach (var claimed in (await host.ClaimAsync(number + 1)).Tasks)
                    {
                        claims.Add(claimed);
                        await host.FinishAsync(claimed);
                    }
                }
            },
            Stop)).Append(adding).AllWithin();

        Assert.Equal(Tasks, claims.Select(static each => each.Task.TaskId).Distinct().Count());
        Assert.Equal(Tasks, claims.Select(static each => each.Claim).Distinct().Count());
        Assert.Equal(Tasks, claims.Count);
        Assert.All(await Store.ListAsync(new TaskQuery(), null, 1000, Stop), static task => Assert.Equal((TaskState.Completed, 1), (task.State, task.Work!.Attempt)));
    }

    [Fact]
    public async Task A_claim_and_the_giving_up_of_its_host_at_once_leave_no_task_with_the_dead()
    {
        var other = await JoinAsync("other");
        for (var round = 0; round < 40; round++)
        {
            var host = await JoinAsync("host");
            var id = await other.AddWorkAsync(thread: $"t{round}", work: static work => work with { Recovery = RecoveryPolicy.Idempotent });

            var claim = Task.Run(() => host.CommitAsync(new ClaimWork([new KindClaim("k")], 10)), Stop);
            var settle = Task.Run(() => other.AnswerAsync(new SettleHost(host.Fence)), Stop);
            var hadClaimed = (await claim.Within()).Status == CommitStatus.Landed;
            var settled = Assert.IsType<HostSettled>(await settle.Within());

            Assert.Equal(hadClaimed ? [id] : [], settled.Recovered);
            Assert.Equal(TaskState.Pending, (await Store.GetAsync(id, Stop))!.State);
            var claimed = await other.ClaimOneAsync();
            Assert.Equal((id, hadClaimed ? 2 : 1), (claimed.Task.TaskId, claimed.Task.Work!.Attempt));
            await other.FinishAsync(claimed);
        }
    }

    [Fact]
    public async Task What_is_added_while_hosts_claim_is_claimed_once_it_was_told()
    {
        var spawner = await JoinAsync("spawner");
        var host = await JoinAsync("worker");
        var listener = new RecordingListener { WantsChanges = false };
        using var subscription = Store.Subscribe(listener);
        var missed = 0;
        for (var round = 0; round < 60; round++)
        {
            var claim = Task.Run(() => host.ClaimAsync(), Stop);
            var add = Task.Run(() => spawner.AddWorkAsync(kind: "k", thread: $"t{round}"), Stop);

            var claimed = Ids(await claim.Within());
            var id = await add.Within();

            Assert.Equal([id], claimed.Concat(Ids(await host.ClaimAsync())));
            missed += claimed.Any() ? 0 : 1;
        }

        // What was given away in the very transaction that added it need not be told.
        Assert.InRange(listener.Snapshot().Count(static heard => heard == new RecordingListener.Heard("Work", "k")), missed, 60);
    }

    [Fact]
    public async Task A_batch_of_tasks_of_kinds_lands_whole_or_not_at_all()
    {
        var host = await JoinAsync();
        await host.AddAsync(name: "taken");

        var refused = await host.CommitAsync(StoreHost.WorkTask(), StoreHost.WorkTask(task: static task => task with { Name = "taken" }));
        Assert.Equal([NotApplied.Instance, new AddRefused(SpawnError.DuplicateName)], refused.Answers);
        Assert.Empty((await host.ClaimAsync()).Tasks);

        var landed = await host.CommitAsync(StoreHost.WorkTask(), StoreHost.Task(), StoreHost.WorkTask(thread: "t2"));
        Assert.Equal(
            [((TaskAdded)landed.Answers[0]).TaskId, ((TaskAdded)landed.Answers[2]).TaskId], Ids(await host.ClaimAsync()));
    }

    [Fact]
    public async Task A_pending_task_has_its_name_its_place_in_a_tree_and_its_refusals_like_any_other()
    {
        var host = await JoinAsync();
        var parent = await host.AddAsync();
        var id = await host.AddWorkAsync(task: task => task with { Name = "worker", Lineage = new TaskLineage { TaskId = parent } });

        Assert.Equal(new AddRefused(SpawnError.DuplicateName), await host.RefusalAsync(StoreHost.WorkTask(task: static task => task with { Name = "worker" })));
        Assert.Equal(id, await Store.FindLiveChildAsync(new TaskLineage { TaskId = parent }, "worker", Stop));
        await host.AnswerAsync(new RequestCancel(CancelScope.Task, parent));
        Assert.Equal(
            new AddRefused(SpawnError.ParentCancelled),
            await host.RefusalAsync(StoreHost.WorkTask(task: task => task with { Lineage = new TaskLineage { TaskId = parent } })));
        Assert.Equal(
            new AddRefused(SpawnError.TooDeep),
            await host.RefusalAsync(StoreHost.WorkTask(task: task => task with { MaxDepth = 1, Lineage = new TaskLineage { TaskId = id } })));
    }

    [Fact]
    public async Task What_is_pending_and_what_runs_survives_a_restart_in_its_place()
    {
        var host = await JoinAsync();
        var ids = new List<string>();
        for (var i = 0; i < 4; i++)
        {
            ids.Add(await host.AddWorkAsync());
        }

        await ReopenAsync();
        host = await JoinAsync();

        Assert.Equal(ids, Ids(await host.ClaimAsync()));
    }

    [Fact]
    public async Task Restored_tasks_keep_their_work_and_are_never_claimed()
    {
        var host = await JoinAsync();
        var work = new TaskWork
        {
            Kind = "k", Version = 2, Input = Mailbag.Json("""{"a":1.0}"""), Recovery = RecoveryPolicy.Resumable, Priority = 3, Attempt = 4, Failures = 2,
            Crashes = 1, Deadline = host.Now.AddDays(-1), IdempotencyKey = "key", LastError = "before",
        };
        var ended = new TaskSnapshot { TaskId = "old-1", State = TaskState.Completed, CreatedAt = host.Now, CompletedAt = host.Now, Work = work };
        var live = ended with { TaskId = "old-2", State = TaskState.Pending, CompletedAt = null, Work = work with { DueAt = host.Now.AddDays(1) } };

        Assert.Equal(new TasksRestored(new RestoreResult(2, 0, 1)), await host.AnswerAsync(new RestoreTasks("t1", [ended, live])));

        Assert.Equal(ended with { OwnerThreadId = "t1" }, await Store.GetAsync("old-1", Stop));
        var orphan = await Store.GetAsync("old-2", Stop);
        Assert.Equal((TaskState.Failed, Orphans.Error, work), (orphan!.State, orphan.Error, orphan.Work));
        host.Now += TimeSpan.FromDays(2);
        var claimed = await host.ClaimAsync();
        Assert.Empty(claimed.Tasks);
        Assert.Equal((null, 0), (claimed.NextLook, claimed.Expired));
        Assert.False(Assert.IsType<TaskAdded>(await host.AnswerAsync(StoreHost.WorkTask(work: static work => work with { IdempotencyKey = "key" }))).WasKnown);
    }

    private static IEnumerable<string> Ids(WorkClaimed claimed) => claimed.Tasks.Select(static each => each.Task.TaskId);

    private static Mutation Write(string write, string id, long claim) => write switch
    {
        "finish" => StoreHost.Finish(id) with { Claim = claim },
        "move" => new MoveTask(id, TaskState.InputRequired) { Claim = claim },
        "events" => new PostEvents(id, 0, [Mailbag.Progress(id, 0)]) { Claim = claim },
        "close inbox" => new CloseAgentInbox(id) { Claim = claim },
        "hand back" => new HandBackWork(id, claim),
        "step" => new StoreStep(id, claim, new TaskStep { Name = "s" }),
        _ => new StoreCheckpoint(id, claim, Mailbag.Json("1")),
    };
}
