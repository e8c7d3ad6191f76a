namespace Coppice.StoreContract;

/// <summary>What becomes of a task whose attempt ends with its process, or with its host's patience.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class DurableRecoveryContract<TStore> : DurableTest<TStore>
    where TStore : StoreFixture, new()
{
    [Theory]
    [InlineData(RecoveryPolicy.Never)]
    [InlineData(RecoveryPolicy.Idempotent)]
    [InlineData(RecoveryPolicy.Resumable)]
    public async Task After_a_crash_it_is_an_orphan_or_runs_again_as_its_kind_says(RecoveryPolicy recovery)
    {
        var kind = Kind(recovery: recovery);
        var begun = new Signal();
        var first = await StartAsync(kinds => kinds.Add(kind, async (_, context) =>
        {
            await context.StepAsync("step", _ => PayAsync("step"));
            begun.Set();
            await new Signal().Task;
            return "never";
        }));
        var task = await first.SpawnAsync(kind, "t1", "x", cancellationToken: Stop).Within();
        await begun.WaitAsync();
        await CrashAsync();

        var second = await StartAsync(kinds => kinds.Add(kind, async (input, context) =>
            $"{input} {await context.StepAsync("step", _ => PayAsync("step"))} {context.Attempt}"));
        var ended = await EndOfAsync(second, task.Id);

        if (recovery == RecoveryPolicy.Never)
        {
            Assert.Equal((TaskState.Failed, Orphans.Error), (ended.State, ended.Error));
            Assert.Equal(["step"], Paid);
            return;
        }

        Assert.Equal("x step 2", await second.GetHandle(kind, task.Id).ResultAsync(Stop).Within());
        Assert.Equal((2, 1, 0), (ended.Work!.Attempt, ended.Work.Crashes, ended.Work.Failures));
        Assert.Equal(recovery == RecoveryPolicy.Resumable ? ["step"] : ["step", "step"], Paid);
        await using var inbox = await second.OpenInboxAsync("t1", Stop);
        Assert.Single(await inbox.DrainAsync(Stop));
    }

    [Fact]
    public async Task A_spawn_may_say_otherwise_than_its_kind()
    {
        var kind = Kind(recovery: RecoveryPolicy.Idempotent);
        var first = await StartAsync(kinds => kinds.Add(kind, static async (_, _) =>
        {
            await new Signal().Task;
            return "never";
        }));
        var task = await first.SpawnAsync(kind, "t1", "x", new SpawnOptions { Recovery = RecoveryPolicy.Never }, Stop).Within();
        await first.UntilAsync(task.Id, static snapshot => snapshot.State == TaskState.Running);

        await CrashAsync();

        Assert.Equal(TaskState.Failed, (await Store.GetAsync(task.Id, Stop))!.State);
    }

    [Fact]
    public async Task What_had_not_begun_survives_whatever_its_recovery()
    {
        var kind = Kind(recovery: RecoveryPolicy.Never);
        var first = await StartAsync(static _ => { });
        var task = await first.SpawnAsync(kind, "t1", "x", cancellationToken: Stop).Within();
        await ReopenAsync();

        var second = await StartAsync(kinds => kinds.Add(kind, static (input, _) => Task.FromResult(input + "!")));

        Assert.Equal("x!", await second.GetHandle(kind, task.Id).ResultAsync(Stop).Within());
    }

    [Fact]
    public async Task An_attempt_that_wakes_up_late_can_store_nothing_learns_of_it_and_is_cancelled()
    {
        var kind = Kind();
        var wake = new Signal();
        var begun = new Signal();
        var cancelled = new Signal();
        var told = new TaskCompletionSource<Exception>();
        var late = await StartAsync(kinds => kinds.Add(kind, async (_, context) =>
        {
            begun.Set();
            await wake.Task;
            if (context.CancellationToken.IsCancellationRequested)
            {
                cancelled.Set();
            }

            context.Emit("progress", "late");
            try
            {
                await context.StepAsync("late", _ => PayAsync("late"));
            }
            catch (Exception e)
            {
                told.TrySetResult(e);
            }

            return "late";
        }));
        var task = await late.SpawnAsync(kind, "t1", "x", cancellationToken: Stop).Within();
        await begun.WaitAsync();
        await CrashAsync();
        var second = await StartAsync(kinds => kinds.Add(kind, async (_, context) => await context.StepAsync("early", _ => PayAsync("early"))));
        Assert.Equal("early", await second.GetHandle(kind, task.Id).ResultAsync(Stop).Within());
        var before = await second.GetAsync(task.Id, Stop);

        wake.Set();

        await cancelled.WaitAsync();
        Assert.IsAssignableFrom<OperationCanceledException>(await told.Task.Within());
        await late.DisposeAsync().Within();
        Assert.Equal(before, await second.GetAsync(task.Id, Stop));
        Assert.Equal(["early"], Paid);
        await using var inbox = await second.OpenInboxAsync("t1", Stop);
        Assert.Single(await inbox.DrainAsync(Stop));
    }

    [Fact]
    public async Task A_body_that_does_not_hear_that_its_host_was_given_up_holds_no_room_of_it_for_ever()
    {
        var kind = Kind(recovery: RecoveryPolicy.Idempotent);
        var begun = new Signal();
        var manager = await StartAsync(
            kinds => kinds.Add(kind, async (input, context) =>
            {
                if (context.Attempt == 1 && input == "deaf")
                {
                    begun.Set();
                    await new Signal().Task;
                }

                return input;
            }),
            static options => (options.MaxConcurrentAttempts, options.AttemptGracePeriod) = (1, TimeSpan.FromSeconds(10)),
            Store);
        var deaf = await manager.SpawnAsync(kind, "t1", "deaf", cancellationToken: Stop).Within();
        await begun.WaitAsync();
        await CrashAsync();

        var other = await manager.SpawnAsync(kind, "t1", "other", cancellationToken: Stop).Within();
        await PassAsync(TimeSpan.FromSeconds(10));

        Assert.Equal("deaf", await deaf.ResultAsync(Stop).Within());
        Assert.Equal("other", await other.ResultAsync(Stop).Within());
    }

    [Fact]
    public async Task A_host_that_stops_hands_its_work_back_without_using_up_an_attempt()
    {
        var kind = Kind();
        var begun = new Signal();
        var first = await StartAsync(kinds => kinds.Add(kind, async (_, context) =>
        {
            await context.StepAsync("step", _ => PayAsync("step"));
            begun.Set();
            await ParkAsync(context);
            return "never";
        }), static options => options.ShutdownGracePeriod = TimeSpan.FromSeconds(30));
        var task = await first.SpawnAsync(kind, "t1", "x", cancellationToken: Stop).Within();
        await begun.WaitAsync();

        await first.DisposeAsync().Within();

        var waiting = (await Store.GetAsync(task.Id, Stop))!;
        Assert.Equal((TaskState.Pending, 0, 0, 0), (waiting.State, waiting.Work!.Attempt, waiting.Work.Crashes, waiting.Work.Failures));
        var second = await StartAsync(kinds => kinds.Add(kind, async (_, context) =>
            $"{await context.StepAsync("step", _ => PayAsync("step"))} {context.Attempt}"));
        Assert.Equal("step 1", await second.GetHandle(kind, task.Id).ResultAsync(Stop).Within());
        Assert.Equal(["step"], Paid);
    }

    [Fact]
    public async Task A_body_that_does_not_end_when_its_host_stops_is_handed_back_all_the_same_and_stores_nothing_more()
    {
        var kind = Kind();
        var wake = new Signal();
        var begun = new Signal();
        var first = await StartAsync(kinds => kinds.Add(kind, async (_, _) =>
        {
            begun.Set();
            await wake.Task;
            return "late";
        }));
        var task = await first.SpawnAsync(kind, "t1", "x", cancellationToken: Stop).Within();
        await begun.WaitAsync();

        await first.DisposeAsync().Within();
        wake.Set();

        var waiting = (await Store.GetAsync(task.Id, Stop))!;
        Assert.Equal((TaskState.Pending, 0, 0), (waiting.State, waiting.Work!.Attempt, waiting.Work.Crashes));
    }

    [Fact]
    public async Task A_body_that_is_refused_a_child_because_its_host_stops_is_handed_back_and_has_not_failed()
    {
        var (kind, child) = (Kind(), Kind("child"));
        var begun = new Signal();
        var first = await StartAsync(kinds => kinds.Add(kind, async (_, context) =>
        {
            begun.Set();
            await context.WhenCancelledAsync();
            for (var i = 0; ; i++)
            {
                await context.SpawnAsync($"child {i}", child, "y");
            }
        }), static options => options.ShutdownGracePeriod = TimeSpan.FromSeconds(30));
        var task = await first.SpawnAsync(kind, "t1", "x", cancellationToken: Stop).Within();
        await begun.WaitAsync();

        await first.DisposeAsync().Within();

        var waiting = (await Store.GetAsync(task.Id, Stop))!;
        Assert.Equal((TaskState.Pending, null, 0, 0), (waiting.State, waiting.Error, waiting.Work!.Attempt, waiting.Work.Failures));
    }

    [Fact]
    public async Task A_task_under_which_process_after_process_ends_is_stopped()
    {
        var kind = new TaskKind<string, string>("work") { Recovery = RecoveryPolicy.Idempotent, MaxCrashes = 3 };
        string? taskId = null;
        for (var crash = 1; crash <= 3; crash++)
        {
            var begun = new Signal();
            var manager = await StartAsync(kinds => kinds.Add(kind, async (_, _) =>
            {
                begun.Set();
                await new Signal().Task;
                return "never";
            }));
            taskId ??= (await manager.SpawnAsync(kind, "t1", "x", cancellationToken: Stop).Within()).Id;
            await begun.WaitAsync();
            await CrashAsync();
        }

        var ended = (await Store.GetAsync(taskId!, Stop))!;
        Assert.Equal((TaskState.Failed, WorkRules.CrashError(3), 3), (ended.State, ended.Error, ended.Work!.Crashes));
    }

    [Fact]
    public async Task A_kind_under_which_process_after_process_ends_is_not_begun_until_that_is_some_time_ago()
    {
        var kind = new TaskKind<string, string>("work")
        {
            Recovery = RecoveryPolicy.Idempotent, MaxCrashes = 100, RestartIntensity = new RestartIntensity(2, TimeSpan.FromMinutes(10)),
        };
        var spawner = await StartAsync(static _ => { });
        var task = await spawner.SpawnAsync(kind, "t1", "x", cancellationToken: Stop).Within();
        for (var crash = 1; crash <= 2; crash++)
        {
            var begun = new Signal();
            await StartAsync(kinds => kinds.Add(kind, async (_, _) =>
            {
                begun.Set();
                await new Signal().Task;
                return "never";
            }));
            await begun.WaitAsync();
            await CrashAsync();
        }

        var healed = await StartAsync(kinds => kinds.Add(kind, static (input, _) => Task.FromResult(input)));
        Assert.Equal(PendingReason.Queued, (await healed.GetAsync(task.Id, Stop))!.PendingReason);
        await PassAsync(TimeSpan.FromMinutes(10));

        Assert.Equal("x", await healed.GetHandle(kind, task.Id).ResultAsync(Stop).Within());
    }

    [Fact]
    public async Task A_cancelled_task_does_not_run_again_after_a_crash()
    {
        var kind = Kind();
        var begun = new Signal();
        var first = await StartAsync(kinds => kinds.Add(kind, async (_, _) =>
        {
            begun.Set();
            await new Signal().Task;
            return "never";
        }));
        var task = await first.SpawnAsync(kind, "t1", "x", cancellationToken: Stop).Within();
        await begun.WaitAsync();
        Assert.True(await first.CancelAsync(task.Id, Stop));

        await CrashAsync();

        Assert.Equal(TaskState.Cancelled, (await Store.GetAsync(task.Id, Stop))!.State);
    }

    [Fact]
    public async Task Its_events_before_and_after_a_crash_reach_the_owner_in_order()
    {
        var kind = Kind();
        var listener = new RecordingListener();
        using var subscription = Store.Subscribe(listener);
        var first = await StartAsync(kinds => kinds.Add(kind, async (_, context) =>
        {
            context.Emit("progress", 1);
            context.Emit("progress", 2);
            await new Signal().Task;
            return "never";
        }));
        var task = await first.SpawnAsync(kind, "t1", "x", cancellationToken: Stop).Within();
        await listener.UntilAsync(static heard => heard.Detail is TaskChange { Event: { } emitted } && emitted.Payload.GetInt32() == 2);
        await CrashAsync();

        var second = await StartAsync(kinds => kinds.Add(kind, static (_, context) =>
        {
            context.Emit("progress", 3);
            return Task.FromResult("done");
        }));
        await EndOfAsync(second, task.Id);

        await using var inbox = await second.OpenInboxAsync("t1", Stop);
        var mail = await inbox.DrainAsync(Stop);
        Assert.Equal([1, 2, 3], mail.Select(static item => item.Event).OfType<CustomTaskEvent>().Select(static custom => custom.Payload.GetInt32()));
        Assert.IsType<TaskCompleted>(mail[^1].Event);
    }
}
