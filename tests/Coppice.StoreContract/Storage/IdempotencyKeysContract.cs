namespace Coppice.StoreContract;

/// <summary>A task that was spawned under a key is found again instead of being spawned twice.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class IdempotencyKeysContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    [Fact]
    public async Task A_known_key_is_answered_with_its_task_and_nothing_is_added()
    {
        var host = await JoinAsync();
        var id = await host.AddWorkAsync(work: WithKey);
        var before = (await Store.GetAsync(id, Stop))!;
        var listener = new RecordingListener();
        using var subscription = Store.Subscribe(listener);

        var answer = await host.AnswerAsync(StoreHost.WorkTask(
            work: static work => WithKey(work) with { Input = Mailbag.Json("[2]"), Version = 7, Priority = 3 }, task: static task => task with { Name = "worker" }));

        Assert.Equal(new TaskAdded(id) { WasKnown = true }, answer);
        Assert.Equal([before], await Store.ListAsync(new TaskQuery(), null, 10, Stop));
        Assert.Empty(listener.Changes());
        var next = await host.AddAsync(name: "worker");
        Assert.True(Fixture.IdsMayHaveGaps || (id, next) == ("bg_0", "bg_1"), "A task that was known took an id.");
        Assert.Equal([id], (await host.ClaimAsync()).Tasks.Select(static each => each.Task.TaskId));
    }

    [Fact]
    public async Task A_key_is_looked_at_before_any_other_check()
    {
        var host = await JoinAsync();
        var parent = await host.AddAsync();
        var id = await host.AddWorkAsync(work: WithKey, task: task => task with { Name = "worker", Lineage = new TaskLineage { TaskId = parent } });
        await host.ClaimOneAsync();
        await host.AnswerAsync(new RequestCancel(CancelScope.Tree, parent));

        var again = StoreHost.WorkTask(work: WithKey, task: task => task with { Name = "worker", Lineage = new TaskLineage { TaskId = parent }, MaxDepth = 1 });

        Assert.Equal(new TaskAdded(id) { WasKnown = true }, await host.AnswerAsync(again));
        Assert.Equal(
            new AddRefused(SpawnError.IdempotencyKeyReused),
            await host.RefusalAsync(again with { Work = again.Work! with { Kind = "other" } }));
    }

    [Fact]
    public async Task A_key_of_another_kind_refuses_the_task()
    {
        var host = await JoinAsync();
        await host.AddWorkAsync(work: WithKey);

        Assert.Equal(new AddRefused(SpawnError.IdempotencyKeyReused), await host.RefusalAsync(StoreHost.WorkTask("other", work: WithKey)));
        Assert.Equal(new AddRefused(SpawnError.IdempotencyKeyReused), await host.RefusalAsync(StoreHost.WorkTask("K", work: WithKey)));
    }

    [Fact]
    public async Task Keys_of_other_threads_and_other_keys_are_no_concern()
    {
        var host = await JoinAsync();
        var ids = new[]
        {
            await host.AddWorkAsync(work: WithKey), await host.AddWorkAsync(thread: "t2", work: WithKey),
            await host.AddWorkAsync(work: static work => work with { IdempotencyKey = "KEY" }), await host.AddWorkAsync(), await host.AddWorkAsync(),
        };

        Assert.Equal(5, ids.Distinct().Count());
    }

    [Fact]
    public async Task A_key_is_remembered_while_its_task_is_stored_and_forgotten_with_it()
    {
        var host = await JoinAsync();
        var id = await host.AddWorkAsync(work: WithKey);
        await host.FinishAsync(await host.ClaimOneAsync());
        await ReopenAsync();
        host = await JoinAsync();
        Assert.Equal(new TaskAdded(id) { WasKnown = true }, await host.AnswerAsync(StoreHost.WorkTask(work: WithKey)));
        Assert.Empty((await host.ClaimAsync()).Tasks);

        Assert.Equal(new TasksPruned(1), await host.AnswerAsync(new PruneTasks(host.Now.AddDays(1))));

        var next = await host.AddWorkAsync("other", work: WithKey);
        Assert.NotEqual(id, next);
        Assert.Equal(next, (await host.ClaimOneAsync(new KindClaim("other"))).Task.TaskId);
    }

    [Fact]
    public async Task Two_tasks_of_one_key_in_a_batch_refuse_it()
    {
        var host = await JoinAsync();

        var refused = await host.CommitAsync(StoreHost.WorkTask(work: WithKey), StoreHost.WorkTask(work: WithKey));
        var elsewhere = await host.CommitAsync(StoreHost.WorkTask(work: WithKey), StoreHost.WorkTask(thread: "t2", work: WithKey));

        Assert.Equal(CommitStatus.Refused, refused.Status);
        Assert.Contains(new AddRefused(SpawnError.IdempotencyKeyReused), refused.Answers);
        Assert.Equal(CommitStatus.Landed, elsewhere.Status);
        Assert.Equal(2, (await host.ClaimAsync()).Tasks.Count);
    }

    [Fact]
    public async Task A_known_key_in_a_batch_is_answered_beside_what_lands()
    {
        var host = await JoinAsync();
        var id = await host.AddWorkAsync(work: WithKey);

        var result = await host.CommitAsync(StoreHost.WorkTask(work: WithKey), StoreHost.WorkTask(work: WithKey), StoreHost.Task("t2"));

        Assert.Equal(CommitStatus.Landed, result.Status);
        Assert.Equal(new TaskAdded(id) { WasKnown = true }, result.Answers[0]);
        Assert.Equal(new TaskAdded(id) { WasKnown = true }, result.Answers[1]);
        Assert.False(((TaskAdded)result.Answers[2]).WasKnown);
    }

    [Fact]
    public async Task A_refused_batch_leaves_no_key_behind()
    {
        var host = await JoinAsync();
        await host.AddAsync(name: "taken");

        Assert.Equal(CommitStatus.Refused, (await host.CommitAsync(StoreHost.WorkTask(work: WithKey), StoreHost.Task(name: "taken"))).Status);

        Assert.False(Assert.IsType<TaskAdded>(await host.AnswerAsync(StoreHost.WorkTask("other", work: WithKey))).WasKnown);
    }

    [Fact]
    public async Task Of_many_that_spawn_under_one_key_at_once_one_adds_the_task_and_all_are_told_its_id()
    {
        var hosts = new[] { await JoinAsync("a"), await JoinAsync("b"), await JoinAsync("c") };
        for (var round = 0; round < 30; round++)
        {
            var thread = $"t{round}";
            var answers = await Enumerable.Range(0, 6)
                .Select(i => Task.Run(() => hosts[i % 3].AnswerAsync(StoreHost.WorkTask(thread: thread, work: WithKey)), Stop)).AllWithin();

            Assert.Single(answers.Cast<TaskAdded>(), static added => !added.WasKnown);
            Assert.Single(answers.Cast<TaskAdded>().Select(static added => added.TaskId).Distinct());
        }

        Assert.Equal(30, (await hosts[0].ClaimAsync()).Tasks.Count);
    }

    private static NewWork WithKey(NewWork work) => work with { IdempotencyKey = "key" };
}
