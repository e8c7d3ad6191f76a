namespace Coppice.StoreContract;

/// <summary>The deadlines of tasks that wait for a host.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class WorkExpiryContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    [Fact]
    public async Task A_pending_task_whose_deadline_has_come_fails_with_the_next_claim_whoever_asks_for_what()
    {
        var host = await JoinAsync();
        var deadline = host.Now.AddSeconds(5);
        var id = await host.AddWorkAsync(work: work => work with { Deadline = deadline }, task: static task => task with { Name = "worker" });
        var listener = new RecordingListener();
        using var subscription = Store.Subscribe(listener);
        host.Now = deadline.AddMilliseconds(-1);
        var early = await host.ClaimAsync(0);
        Assert.Equal(0, early.Expired);
        Assert.Equal(deadline, early.NextLook);

        host.Now = deadline;
        var claimed = await host.ClaimAsync(100, new KindClaim("other"));

        Assert.Equal(1, claimed.Expired);
        Assert.Null(claimed.NextLook);
        Assert.Empty(claimed.UnknownKinds);
        var task = await Store.GetAsync(id, Stop);
        Assert.Equal((TaskState.Failed, WorkRules.DeadlineError, deadline), (task!.State, task.Error, task.CompletedAt));
        Assert.Equal((0, deadline), (task.Work!.Attempt, task.Work.Deadline));
        Assert.Equal([new TaskFailed(id, WorkRules.DeadlineError)], (await Store.ReadAllAsync(host, "t1")).Select(static item => item.Event));
        Assert.Contains(new RecordingListener.Heard("Ended", id), listener.Snapshot());
        Assert.Equal(TaskChangeKind.Ended, Assert.Single(listener.Changes()).Kind);
        await host.AddAsync(name: "worker");
    }

    [Fact]
    public async Task A_task_that_is_due_at_its_deadline_or_later_expires_and_is_not_claimed()
    {
        var host = await JoinAsync();
        var deadline = host.Now.AddSeconds(5);
        await host.AddWorkAsync(work: work => work with { DueAt = deadline, Deadline = deadline });
        var later = await host.AddWorkAsync(work: work => work with { DueAt = deadline.AddDays(1), Deadline = deadline });
        host.Now = deadline;

        var claimed = await host.ClaimAsync();

        Assert.Empty(claimed.Tasks);
        Assert.Equal(2, claimed.Expired);
        Assert.Null(claimed.NextLook);
        Assert.Null((await Store.GetAsync(later, Stop))!.Work!.DueAt);
    }

    [Fact]
    public async Task A_running_task_does_not_expire_and_does_once_it_is_handed_back()
    {
        var host = await JoinAsync();
        var deadline = host.Now.AddSeconds(5);
        var id = await host.AddWorkAsync(work: work => work with { Deadline = deadline });
        var claimed = await host.ClaimOneAsync();
        Assert.Null((await host.ClaimAsync()).NextLook);
        host.Now = deadline.AddSeconds(1);
        Assert.Equal(0, (await host.ClaimAsync()).Expired);
        Assert.Equal(TaskState.Running, (await Store.GetAsync(id, Stop))!.State);

        await host.HandBackAsync(claimed, error: "again");

        Assert.Equal(1, (await host.ClaimAsync()).Expired);
        Assert.Equal(WorkRules.DeadlineError, (await Store.GetAsync(id, Stop))!.Error);
    }

    [Fact]
    public async Task A_handed_back_task_has_its_deadline_ahead_again()
    {
        var host = await JoinAsync();
        var deadline = host.Now.AddHours(1);
        await host.AddWorkAsync(work: work => work with { Deadline = deadline });

        await host.HandBackAsync(await host.ClaimOneAsync(), host.Now.AddHours(2));

        Assert.Equal(deadline, (await host.ClaimAsync()).NextLook);
    }

    [Fact]
    public async Task When_more_has_expired_than_one_claim_ends_the_earliest_go_first_and_the_next_look_is_at_once()
    {
        var host = await JoinAsync();
        var now = host.Now;
        await host.CommitAsync([.. Enumerable.Range(0, WorkRules.MaxExpired + 3).Select(i => StoreHost.WorkTask("k", $"t{i % 5}", work => work with
        {
            DueAt = now.AddDays(1), Deadline = now.AddSeconds(1000 - i),
        }))]);
        host.Now = now.AddSeconds(1000);

        var first = await host.ClaimAsync(0);
        Assert.Equal(WorkRules.MaxExpired, first.Expired);
        Assert.Equal(host.Now, first.NextLook);
        Assert.Equal(
            Enumerable.Range(0, 3).Select(i => (DateTimeOffset?)now.AddSeconds(998 + i)),
            (await Store.ListAsync(new TaskQuery { States = [TaskState.Pending] }, null, 1000, Stop)).Select(static task => task.Work!.Deadline).Order());
        Assert.Equal(3, (await host.ClaimAsync(0)).Expired);
        Assert.Null((await host.ClaimAsync(0)).NextLook);
    }

    [Fact]
    public async Task A_cancelled_or_claimed_task_leaves_no_time_to_look_at()
    {
        var host = await JoinAsync();
        var id = await host.AddWorkAsync(work: work => work with { DueAt = host.Now.AddHours(1), Deadline = host.Now.AddHours(2) });
        await host.AnswerAsync(new RequestCancel(CancelScope.Task, id));
        await host.AddWorkAsync(work: work => work with { Deadline = host.Now.AddHours(2) });

        Assert.Null((await host.ClaimAsync()).NextLook);
    }

    [Fact]
    public async Task Deadlines_and_due_times_are_kept_over_a_restart()
    {
        var host = await JoinAsync();
        var now = host.Now;
        var due = await host.AddWorkAsync(work: work => work with { DueAt = now.AddHours(1) });
        await host.AddWorkAsync(work: work => work with { Deadline = now.AddHours(1) });
        await ReopenAsync();
        host = await JoinAsync();
        Assert.Equal(now.AddHours(1), (await host.ClaimAsync(0)).NextLook);
        host.Now = now.AddHours(1);

        var claimed = await host.ClaimAsync();

        Assert.Equal(1, claimed.Expired);
        Assert.Equal(due, Assert.Single(claimed.Tasks).Task.TaskId);
    }
}
