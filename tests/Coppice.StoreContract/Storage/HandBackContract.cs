namespace Coppice.StoreContract;

/// <summary>Giving a running task back: for another attempt at once or later, as a failure or as none.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class HandBackContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    [Fact]
    public async Task A_task_that_is_handed_back_without_an_error_is_pending_as_if_the_attempt_had_not_been()
    {
        var host = await JoinAsync();
        var id = await host.AddWorkAsync();
        var before = await Store.GetAsync(id, Stop);

        Assert.Equal(TaskState.Pending, await host.HandBackAsync(await host.ClaimOneAsync()));

        Assert.Equal(before, await Store.GetAsync(id, Stop));
        Assert.Equal(1, (await host.ClaimOneAsync()).Task.Work!.Attempt);
        Assert.Empty(await Store.ReadAllAsync(host, "t1"));
    }

    [Fact]
    public async Task A_task_that_is_handed_back_with_an_error_has_failed_once_and_says_why()
    {
        var host = await JoinAsync();
        var other = await JoinAsync("other");
        var id = await host.AddWorkAsync();
        await host.HandBackAsync(await host.ClaimOneAsync(), error: "no answer");
        await host.HandBackAsync(await host.ClaimOneAsync(), error: "still none");

        var work = (await Store.GetAsync(id, Stop))!.Work!;
        Assert.Equal((2, 2, 0, "still none"), (work.Attempt, work.Failures, work.Crashes, work.LastError));
        Assert.Null((await Store.GetAsync(id, Stop))!.Error);
        var third = (await other.ClaimOneAsync()).Task.Work!;
        Assert.Equal((3, 2, "still none"), (third.Attempt, third.Failures, third.LastError));
    }

    [Fact]
    public async Task A_task_that_is_handed_back_until_later_is_claimed_when_its_time_has_come()
    {
        var host = await JoinAsync();
        var id = await host.AddWorkAsync();
        var due = host.Now.AddMinutes(5);

        await host.HandBackAsync(await host.ClaimOneAsync(), due, "later");

        Assert.Equal(due, (await Store.GetAsync(id, Stop))!.Work!.DueAt);
        var early = await host.ClaimAsync();
        Assert.Empty(early.Tasks);
        Assert.Equal(due, early.NextLook);
        host.Now = due;
        Assert.Null((await host.ClaimOneAsync()).Task.Work!.DueAt);
    }

    [Fact]
    public async Task What_an_attempt_emitted_is_posted_with_its_hand_back_and_nothing_twice()
    {
        var host = await JoinAsync();
        var id = await host.AddWorkAsync();
        var claimed = await host.ClaimOneAsync();
        await host.AnswerAsync(new PostEvents(id, 0, Mailbag.ProgressRange(id, 0, 2)) { Claim = claimed.Claim });

        await host.AnswerAsync(new HandBackWork(id, claimed.Claim) { FirstEvent = 1, Events = Mailbag.ProgressRange(id, 1, 3) });

        Assert.Equal([0, 1, 2, 3], (await Store.ReadAllAsync(host, "t1")).Select(static item => Mailbag.Number(item.Event)));
    }

    [Fact]
    public async Task A_task_whose_cancellation_was_requested_ends_as_cancelled_when_it_is_handed_back()
    {
        var host = await JoinAsync();
        var id = await host.AddWorkAsync(task: static task => task with { Name = "worker" });
        var claimed = await host.ClaimOneAsync();
        await host.AnswerAsync(new StoreStep(id, claimed.Claim, new TaskStep { Name = "s" }));
        await host.AnswerAsync(new RequestCancel(CancelScope.Thread, "t1"));
        Assert.Equal(TaskState.Running, (await Store.GetAsync(id, Stop))!.State);

        Assert.Equal(
            new WorkHandedBack(TaskState.Cancelled),
            await host.AnswerAsync(new HandBackWork(id, claimed.Claim) { Events = Mailbag.ProgressRange(id, 0, 1), Error = "boom", CancelledBy = "user" }));

        var task = await Store.GetAsync(id, Stop);
        Assert.Equal((TaskState.Cancelled, "thread", null, host.Now), (task!.State, task.CancelledBy, task.Error, task.CompletedAt));
        Assert.Equal([Mailbag.Progress(id, 0), new TaskCancelled(id)], (await Store.ReadAllAsync(host, "t1")).Select(static item => item.Event));
        Assert.Empty(await Store.ReadStepsAsync(id, 0, 10, Stop));
        Assert.Empty((await host.ClaimAsync()).Tasks);
        await host.AddAsync(name: "worker");
    }

    [Fact]
    public async Task A_cancel_request_that_the_store_could_not_be_told_ends_the_task_that_is_handed_back_with_it()
    {
        var host = await JoinAsync();
        var id = await host.AddWorkAsync();
        var claimed = await host.ClaimOneAsync();

        Assert.Equal(new WorkHandedBack(TaskState.Cancelled), await host.AnswerAsync(new HandBackWork(id, claimed.Claim) { CancelledBy = "user" }));

        var task = await Store.GetAsync(id, Stop);
        Assert.Equal((TaskState.Cancelled, "user", host.Now), (task!.State, task.CancelledBy, task.CancelRequestedAt));
    }

    [Fact]
    public async Task Only_a_running_task_is_handed_back()
    {
        var host = await JoinAsync();
        var id = await host.AddWorkAsync();
        var claimed = await host.ClaimOneAsync();
        await host.AnswerAsync(new MoveTask(id, TaskState.InputRequired) { Claim = claimed.Claim });
        Assert.Equal(new MoveRefused(TaskState.InputRequired), await host.RefusalAsync(new HandBackWork(id, claimed.Claim)));
        await host.AnswerAsync(new MoveTask(id, TaskState.Running) { Claim = claimed.Claim });
        await host.FinishAsync(claimed);

        Assert.Equal(new MoveRefused(TaskState.Completed), await host.RefusalAsync(new HandBackWork(id, claimed.Claim)));
        Assert.Equal(new MoveRefused(null), await host.RefusalAsync(new HandBackWork("bg_99", claimed.Claim)));
    }

    [Fact]
    public async Task A_move_to_pending_hands_nothing_back()
    {
        var host = await JoinAsync();
        var id = await host.AddWorkAsync();
        var claimed = await host.ClaimOneAsync();

        Assert.Equal(new MoveRefused(TaskState.Running), await host.RefusalAsync(new MoveTask(id, TaskState.Pending) { Claim = claimed.Claim }));
        await host.FinishAsync(claimed);
    }

    [Fact]
    public async Task A_hand_back_is_told_as_a_move()
    {
        var host = await JoinAsync();
        var id = await host.AddWorkAsync();
        var claimed = await host.ClaimOneAsync();
        var listener = new RecordingListener();
        using var subscription = Store.Subscribe(listener);

        await host.HandBackAsync(claimed, error: "boom");

        var change = Assert.Single(listener.Changes());
        Assert.Equal(TaskChangeKind.Moved, change.Kind);
        Assert.Equal(await Store.GetAsync(id, Stop), change.Task);
        Assert.DoesNotContain(listener.Snapshot(), static heard => heard.What == "Ended");
    }

    [Fact]
    public async Task In_one_batch_a_task_is_handed_back_or_ended_or_moved_and_its_attempt_keeps_nothing_after()
    {
        var host = await JoinAsync();
        var id = await host.AddWorkAsync();
        var claimed = await host.ClaimOneAsync();
        var back = new HandBackWork(id, claimed.Claim);
        Mutation[] others =
        [
            back, StoreHost.Finish(id) with { Claim = claimed.Claim }, new MoveTask(id, TaskState.InputRequired) { Claim = claimed.Claim },
            new StoreStep(id, claimed.Claim, new TaskStep { Name = "s" }), new StoreCheckpoint(id, claimed.Claim, Mailbag.Json("1")),
        ];
        foreach (var other in others)
        {
            Assert.Equal(CommitStatus.Refused, (await host.CommitAsync(back, other)).Status);
        }

        Assert.Equal(TaskState.Running, (await Store.GetAsync(id, Stop))!.State);
        Assert.Equal(CommitStatus.Landed, (await host.CommitAsync(others[3], others[4], back)).Status);
        Assert.Equal(1, (await host.ClaimOneAsync()).Steps);
    }

    [Fact]
    public async Task A_hand_back_and_a_cancel_at_once_never_leave_the_task_pending()
    {
        var host = await JoinAsync();
        for (var round = 0; round < 60; round++)
        {
            var thread = $"t{round}";
            var id = await host.AddWorkAsync(thread: thread);
            var claimed = await host.ClaimOneAsync();
            var scope = round % 2 == 0 ? new RequestCancel(CancelScope.Task, id) : new RequestCancel(CancelScope.Thread, thread);

            var back = Task.Run(() => host.HandBackAsync(claimed), Stop);
            var cancel = Task.Run(() => host.AnswerAsync(scope), Stop);
            await back.Within();
            Assert.Equal([id], Assert.IsType<CancelReached>(await cancel.Within()).TaskIds);

            Assert.Equal(TaskState.Cancelled, (await Store.GetAsync(id, Stop))!.State);
            Assert.Single(await Store.ReadAllAsync(host, thread));
            Assert.Empty((await host.ClaimAsync()).Tasks);
        }
    }
}
