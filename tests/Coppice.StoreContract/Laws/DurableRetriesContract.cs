using Polly;

namespace Coppice.StoreContract;

/// <summary>Retries, timeouts and deadlines.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class DurableRetriesContract<TStore> : DurableTest<TStore>
    where TStore : StoreFixture, new()
{
    [Fact]
    public async Task A_failed_attempt_is_followed_by_others_after_pauses_that_grow_until_one_succeeds()
    {
        var kind = new TaskKind<string, string>("work")
        {
            Retry = new RetryPolicy { MaxRetryAttempts = 3, Delay = TimeSpan.FromSeconds(10), UseJitter = false, BackoffType = DelayBackoffType.Exponential },
        };
        var manager = await StartAsync(kinds => kinds.Add(kind, static (_, context) =>
            context.Attempt < 3 ? throw new InvalidOperationException("attempt " + context.Attempt) : Task.FromResult(context.LastError!)));
        var start = Clock.GetUtcNow();
        var task = await manager.SpawnAsync(kind, "t1", "", cancellationToken: Stop).Within();

        foreach (var (failures, due) in new[] { (1, 10), (2, 30) })
        {
            var waiting = await manager.UntilAsync(task.Id, snapshot => snapshot is { State: TaskState.Pending, Work: { } work } && work.Failures == failures);
            Assert.Equal((start.AddSeconds(due), "attempt " + failures), (waiting.Work!.DueAt, waiting.Work.LastError));
            await PassAsync(waiting.Work.DueAt!.Value - Clock.GetUtcNow());
        }

        Assert.Equal("attempt 2", await task.ResultAsync(Stop).Within());
        var ended = (await manager.GetAsync(task.Id, Stop))!;
        Assert.Equal((3, 2, 0), (ended.Work!.Attempt, ended.Work.Failures, ended.Work.Crashes));
    }

    [Fact]
    public async Task The_last_failure_is_the_tasks()
    {
        var kind = new TaskKind<string, string>("work") { Retry = new RetryPolicy { MaxRetryAttempts = 2, Delay = TimeSpan.Zero } };
        var manager = await StartAsync(kinds => kinds.Add(kind, static (_, context) => throw new InvalidOperationException("attempt " + context.Attempt)));

        var ended = await EndOfAsync(manager, (await manager.SpawnAsync(kind, "t1", "", cancellationToken: Stop).Within()).Id);

        Assert.Equal((TaskState.Failed, "attempt 3", 3), (ended.State, ended.Error, ended.Work!.Attempt));
        await using var inbox = await manager.OpenInboxAsync("t1", Stop);
        Assert.Equal(new TaskFailed(ended.TaskId, "attempt 3"), Assert.Single(await inbox.DrainAsync(Stop)).Event);
    }

    [Fact]
    public async Task Only_the_failures_that_the_policy_handles_are_tried_again()
    {
        var kind = new TaskKind<string, string>("work")
        {
            Retry = new RetryPolicy { MaxRetryAttempts = 5, Delay = TimeSpan.Zero, ShouldHandle = static e => e is TimeoutException },
        };
        var manager = await StartAsync(kinds => kinds.Add(kind, static (_, context) =>
            throw (context.Attempt == 1 ? new TimeoutException("slow") : new InvalidOperationException("broken"))));

        var ended = await EndOfAsync(manager, (await manager.SpawnAsync(kind, "t1", "", cancellationToken: Stop).Within()).Id);

        Assert.Equal(("broken", 2), (ended.Error, ended.Work!.Attempt));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_policy_that_throws_over_a_failure_is_said_and_ends_the_task_with_that_failure(bool timesOut)
    {
        using var log = new WatchedLog();
        var odd = new FormatException("odd");
        var kind = new TaskKind<string, string>("work")
        {
            AttemptTimeout = TimeSpan.FromMinutes(1),
            Retry = new RetryPolicy { MaxRetryAttempts = 5, Delay = TimeSpan.Zero, ShouldHandle = _ => throw odd },
        };
        var begun = new Signal();
        var manager = await StartAsync(
            kinds => kinds.Add(kind, async (input, _) =>
            {
                begun.Set();
                return input switch
                {
                    "broken" => throw new InvalidOperationException("broken"),
                    "deaf" => await new TaskCompletionSource<string>().Task,
                    _ => input,
                };
            }),
            options => (options.MaxConcurrentAttempts, options.LoggerFactory, options.AttemptGracePeriod) = (1, log, TimeSpan.FromSeconds(10)));
        var task = await manager.SpawnAsync(kind, "t1", timesOut ? "deaf" : "broken", cancellationToken: Stop).Within();
        await begun.WaitAsync();
        if (timesOut)
        {
            await PassAsync(TimeSpan.FromMinutes(1));
            await PassAsync(TimeSpan.FromSeconds(10));
        }

        var ended = await EndOfAsync(manager, task.Id);

        Assert.Equal((TaskState.Failed, 1), (ended.State, ended.Work!.Attempt));
        Assert.Contains(timesOut ? "AttemptTimeout" : "broken", ended.Error, StringComparison.Ordinal);
        var said = Assert.Single(log.Of(2011));
        Assert.Equal((task.Id, "work", odd), (said.Fields["TaskId"], said.Fields["Kind"], said.Exception));
        Assert.Equal("next", await (await manager.SpawnAsync(kind, "t1", "next", cancellationToken: Stop).Within()).ResultAsync(Stop).Within());
    }

    [Fact]
    public async Task A_task_that_waits_for_its_next_attempt_may_be_made_by_another_host()
    {
        var kind = new TaskKind<string, string>("work") { Retry = new RetryPolicy { Delay = TimeSpan.FromMinutes(1), UseJitter = false } };
        var first = await StartAsync(kinds => kinds.Add(kind, static (_, _) => throw new InvalidOperationException("boom")));
        var task = await first.SpawnAsync(kind, "t1", "", cancellationToken: Stop).Within();
        await first.UntilAsync(task.Id, static snapshot => snapshot is { State: TaskState.Pending, Work.Failures: 1 });
        await first.DisposeAsync().Within();
        await ReopenAsync();

        var second = await StartAsync(kinds => kinds.Add(kind, static (_, context) => Task.FromResult($"attempt {context.Attempt}")));
        await PassAsync(TimeSpan.FromMinutes(1));

        Assert.Equal("attempt 2", await second.GetHandle(kind, task.Id).ResultAsync(Stop).Within());
    }

    [Fact]
    public async Task An_attempt_that_takes_too_long_is_signalled_and_counts_as_a_failure()
    {
        var kind = new TaskKind<string, string>("work")
        {
            AttemptTimeout = TimeSpan.FromMinutes(1), Retry = new RetryPolicy { MaxRetryAttempts = 1, Delay = TimeSpan.Zero },
        };
        var begun = new Signal();
        var manager = await StartAsync(kinds => kinds.Add(kind, async (_, context) =>
        {
            if (context.Attempt == 1)
            {
                begun.Set();
                await ParkAsync(context);
            }

            return context.LastError!;
        }));
        var task = await manager.SpawnAsync(kind, "t1", "", cancellationToken: Stop).Within();
        await begun.WaitAsync();

        await PassAsync(TimeSpan.FromMinutes(1));

        Assert.Contains("AttemptTimeout", await task.ResultAsync(Stop).Within(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_that_does_not_listen_loses_its_attempt_after_the_grace_period_and_can_store_nothing_more()
    {
        var kind = new TaskKind<string, string>("work")
        {
            AttemptTimeout = TimeSpan.FromMinutes(1), Recovery = RecoveryPolicy.Resumable, Retry = new RetryPolicy { MaxRetryAttempts = 1, Delay = TimeSpan.Zero },
        };
        var begun = new Signal();
        var wake = new Signal();
        var told = new TaskCompletionSource<Exception>();
        var manager = await StartAsync(kinds => kinds.Add(kind, async (_, context) =>
        {
            if (context.Attempt == 2)
            {
                return "second";
            }

            begun.Set();
            await wake.Task;
            try
            {
                await context.StepAsync("late", static _ => Task.FromResult("late"));
            }
            catch (Exception e)
            {
                told.TrySetResult(e);
            }

            return "first";
        }), static options => options.AttemptGracePeriod = TimeSpan.FromSeconds(10));
        var task = await manager.SpawnAsync(kind, "t1", "", cancellationToken: Stop).Within();
        await begun.WaitAsync();

        await PassAsync(TimeSpan.FromMinutes(1));
        await PassAsync(TimeSpan.FromSeconds(10));

        Assert.Equal("second", await task.ResultAsync(Stop).Within());
        wake.Set();
        Assert.IsType<AttemptLostException>(await told.Task.Within());
        Assert.Equal("second", (await manager.GetAsync(task.Id, Stop))!.Result!.Value.GetString());
    }

    [Fact]
    public async Task A_deadline_ends_a_pending_task_and_a_running_one()
    {
        var kind = Kind();
        var begun = new Signal();
        var manager = await StartAsync(kinds => kinds.Add(kind, async (_, context) =>
        {
            begun.Set();
            await ParkAsync(context);
            return "";
        }));
        var options = new SpawnOptions { Timeout = TimeSpan.FromMinutes(1) };
        var running = await manager.SpawnAsync(kind, "t1", "", options, Stop).Within();
        var pending = await manager.SpawnAsync(kind, "t1", "", options with { Delay = TimeSpan.FromHours(1) }, Stop).Within();
        await begun.WaitAsync();

        await PassAsync(TimeSpan.FromMinutes(1));

        foreach (var task in new[] { running, pending })
        {
            var ended = await EndOfAsync(manager, task.Id);
            Assert.Equal((TaskState.Failed, WorkRules.DeadlineError), (ended.State, ended.Error));
        }
    }

    [Fact]
    public async Task A_retry_that_would_come_after_the_deadline_is_not_waited_for()
    {
        var kind = new TaskKind<string, string>("work") { Timeout = TimeSpan.FromSeconds(30), Retry = new RetryPolicy { Delay = TimeSpan.FromMinutes(1) } };
        var manager = await StartAsync(kinds => kinds.Add(kind, static (_, _) => throw new InvalidOperationException("boom")));

        var ended = await EndOfAsync(manager, (await manager.SpawnAsync(kind, "t1", "", cancellationToken: Stop).Within()).Id);

        Assert.Equal((TaskState.Failed, "boom"), (ended.State, ended.Error));
    }

    [Fact]
    public async Task A_failure_after_a_cancel_is_a_failure_and_not_tried_again()
    {
        var kind = new TaskKind<string, string>("work") { Retry = new RetryPolicy { Delay = TimeSpan.Zero } };
        var begun = new Signal();
        var manager = await StartAsync(kinds => kinds.Add(kind, async (_, context) =>
        {
            begun.Set();
            await context.WhenCancelledAsync();
            throw new InvalidOperationException("boom");
        }));
        var task = await manager.SpawnAsync(kind, "t1", "", cancellationToken: Stop).Within();
        await begun.WaitAsync();

        Assert.True(await manager.CancelAsync(task.Id, Stop));

        var ended = await EndOfAsync(manager, task.Id);
        Assert.Equal((TaskState.Failed, "boom", 1), (ended.State, ended.Error, ended.Work!.Attempt));
    }

    [Fact]
    public async Task A_cancel_while_it_waits_for_its_next_attempt_ends_it()
    {
        var kind = new TaskKind<string, string>("work") { Retry = new RetryPolicy { Delay = TimeSpan.FromMinutes(1) } };
        var manager = await StartAsync(kinds => kinds.Add(kind, static (_, _) => throw new InvalidOperationException("boom")));
        var task = await manager.SpawnAsync(kind, "t1", "", cancellationToken: Stop).Within();
        await manager.UntilAsync(task.Id, static snapshot => snapshot is { State: TaskState.Pending, Work.Failures: 1 });

        Assert.True(await manager.CancelAsync(task.Id, Stop));

        Assert.Equal(TaskState.Cancelled, (await manager.GetAsync(task.Id, Stop))!.State);
    }
}
