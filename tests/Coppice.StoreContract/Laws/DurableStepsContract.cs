using System.Text.Json;

namespace Coppice.StoreContract;

/// <summary>Steps, checkpoints and sleeps: what an attempt has paid for, the next one gets.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class DurableStepsContract<TStore> : DurableTest<TStore>
    where TStore : StoreFixture, new()
{
    private static readonly TaskKind<string, string> Work = Kind();

    private static readonly TaskKind<string, string> Retried = new("work")
    {
        Recovery = RecoveryPolicy.Resumable, Retry = new RetryPolicy { MaxRetryAttempts = 5, Delay = TimeSpan.Zero },
    };

    private readonly Signal _hung = new();

    [Fact]
    public async Task A_stored_step_is_given_back_and_never_run_again()
    {
        var ended = await TwiceAsync(
            async context => await PayTwoAsync(context) + await HangAsync(),
            async context => $"{await PayTwoAsync(context)} {await context.StepAsync("c", _ => PayAsync("c"))}");

        Assert.Equal("a b c", ended);
        Assert.Equal(["a", "b", "c"], Paid);

        async Task<string> PayTwoAsync(DurableTaskContext context) =>
            $"{await context.StepAsync("a", _ => PayAsync("a"))} {await context.StepAsync("b", _ => PayAsync("b"))}";
    }

    [Fact]
    public async Task A_step_whose_result_was_not_stored_runs_again()
    {
        var ended = await TwiceAsync(
            context => context.StepAsync("a", async _ =>
            {
                await PayAsync("a");
                return await HangAsync();
            }),
            context => context.StepAsync("a", _ => PayAsync("a")));

        Assert.Equal("a", ended);
        Assert.Equal(["a", "a"], Paid);
    }

    [Fact]
    public async Task Steps_side_by_side_are_given_back_whichever_of_them_were_stored()
    {
        var ended = await TwiceAsync(
            async context =>
            {
                _ = context.StepAsync("slow", static _ => new Signal().Task);
                await context.StepAsync("quick", _ => PayAsync("quick"));
                return await HangAsync();
            },
            async context => string.Join(' ', await Task.WhenAll(
                context.StepAsync("slow", _ => PayAsync("slow")), context.StepAsync("quick", _ => PayAsync("quick")))));

        Assert.Equal("slow quick", ended);
        Assert.Equal(["quick", "slow"], Paid);
    }

    [Fact]
    public async Task Branches_have_each_an_order_of_their_own()
    {
        var ended = await TwiceAsync(
            async context =>
            {
                await Task.WhenAll(BranchAsync(context, "left", 2), BranchAsync(context, "right", 1));
                return await HangAsync();
            },
            async context =>
            {
                await Task.WhenAll(BranchAsync(context, "left", 3), BranchAsync(context, "right", 3));
                return "done";
            });

        Assert.Equal("done", ended);
        Assert.Equal(["left1", "left2", "left3", "right1", "right2", "right3"], Paid.Order());

        async Task BranchAsync(DurableTaskContext context, string name, int steps)
        {
            for (var i = 1; i <= steps; i++)
            {
                await Task.Yield();
                await context.StepAsync(name + i, _ => PayAsync(name + i));
            }
        }
    }

    [Fact]
    public async Task Branches_may_come_to_their_first_steps_in_another_order_than_before_the_crash()
    {
        var right = new Signal();
        var ended = await TwiceAsync(
            async context =>
            {
                // The other branch has not come to its first step when the process ends.
                await context.StepAsync("left", _ => PayAsync("left"));
                return await HangAsync();
            },
            async context => string.Join(' ', await Task.WhenAll(LeftAsync(context), RightAsync(context))));

        Assert.Equal("left right", ended);
        Assert.Equal(["left", "right"], Paid);

        async Task<string> LeftAsync(DurableTaskContext context)
        {
            await right.WaitAsync();
            return await context.StepAsync("left", _ => PayAsync("left"));
        }

        Task<string> RightAsync(DurableTaskContext context)
        {
            var step = context.StepAsync("right", _ => PayAsync("right"));
            right.Set();
            return step;
        }
    }

    [Fact]
    public async Task Steps_of_a_loop_have_keys_and_may_come_in_any_order()
    {
        var ended = await TwiceAsync(
            async context =>
            {
                await FetchAsync(context, "x", "y");
                return await HangAsync();
            },
            async context =>
            {
                await FetchAsync(context, "z", "y", "x");
                return "done";
            });

        Assert.Equal("done", ended);
        Assert.Equal(["x", "y", "z"], Paid);

        async Task FetchAsync(DurableTaskContext context, params string[] pages)
        {
            foreach (var page in pages)
            {
                Assert.Equal(page, await context.StepAsync("fetch", _ => PayAsync(page), new StepOptions { Key = page }));
            }
        }
    }

    [Fact]
    public async Task A_name_that_is_asked_for_twice_is_an_error_that_says_what_to_do()
    {
        var manager = await StartAsync(static kinds => kinds.Add(Work, static async (_, context) =>
        {
            await context.StepAsync("a", static _ => Task.FromResult(1));
            await context.StepAsync("a", static _ => Task.FromResult(2));
            return "";
        }));

        var ended = await EndOfAsync(manager, (await manager.SpawnAsync(Work, "t1", "", cancellationToken: Stop).Within()).Id);

        Assert.Contains("Step 'a' was asked for before in this attempt. Give each step of a loop a key of its own.", ended.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_changed_order_is_said_and_no_step_is_misread()
    {
        var ended = await TwiceEndAsync(
            async context =>
            {
                await context.StepAsync("a", _ => PayAsync("a"));
                await context.StepAsync("b", _ => PayAsync("b"));
                return await HangAsync();
            },
            async context =>
            {
                await context.StepAsync("b", _ => PayAsync("b again"));
                return "misread";
            });

        Assert.Equal(TaskState.Failed, ended.State);
        Assert.Contains("asks for step 'b' first; an earlier attempt stored it after step 'a'", ended.Error, StringComparison.Ordinal);
        Assert.Equal(["a", "b"], Paid);
    }

    [Fact]
    public async Task A_changed_name_is_said_before_anything_is_paid_again()
    {
        var ended = await TwiceEndAsync(
            async context =>
            {
                await context.StepAsync("fetch", _ => PayAsync("fetch"));
                return await HangAsync();
            },
            async context =>
            {
                await context.StepAsync("download", _ => PayAsync("download"));
                return "paid twice";
            },
            TimeSpan.FromSeconds(10));

        Assert.Equal(TaskState.Failed, ended.State);
        Assert.Contains("asks for step 'download' first, where an earlier attempt had stored step 'fetch'", ended.Error, StringComparison.Ordinal);
        Assert.Equal(["fetch"], Paid);
    }

    [Fact]
    public async Task A_failure_that_is_kept_is_given_back()
    {
        var ended = await TwiceAsync(
            async context =>
            {
                var failure = await Assert.ThrowsAsync<StepFailedException>(() => FailAsync(context));
                Assert.Equal(("declined", "card"), (failure.Message, failure.Step));
                Assert.IsType<InvalidOperationException>(failure.InnerException);
                return await HangAsync();
            },
            async context => (await Assert.ThrowsAsync<StepFailedException>(() => FailAsync(context))).Message);

        Assert.Equal("declined", ended);
        Assert.Equal(["card"], Paid);

        Task<string> FailAsync(DurableTaskContext context) => context.StepAsync<string>("card", _ =>
        {
            Paid.Enqueue("card");
            throw new InvalidOperationException("declined");
        }, new StepOptions { KeepFailure = true });
    }

    [Fact]
    public async Task A_failure_that_is_not_kept_may_be_tried_again_by_the_body_and_does_not_change_the_order()
    {
        var ended = await TwiceAsync(
            async context =>
            {
                await Assert.ThrowsAsync<InvalidOperationException>(() => context.StepAsync("a", static _ => throw new InvalidOperationException("first")));
                await context.StepAsync("a", _ => PayAsync("a"));
                await context.StepAsync("b", _ => PayAsync("b"));
                return await HangAsync();
            },
            async context =>
            {
                await context.StepAsync("a", _ => PayAsync("a"));
                return await context.StepAsync("b", _ => PayAsync("b"));
            });

        Assert.Equal("b", ended);
        Assert.Equal(["a", "b"], Paid);
    }

    [Fact]
    public async Task A_result_over_its_limit_is_an_error_that_names_both()
    {
        var manager = await StartAsync(
            static kinds => kinds.Add(Work, static async (_, context) => await context.StepAsync("big", static _ => Task.FromResult(new string('x', 99)))),
            static options => options.MaxStepBytes = 100);

        var ended = await EndOfAsync(manager, (await manager.SpawnAsync(Work, "t1", "", cancellationToken: Stop).Within()).Id);

        Assert.Contains("101 bytes; MaxStepBytes is 100", ended.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_result_over_its_limit_is_not_paid_for_again()
    {
        var manager = await StartAsync(
            kinds => kinds.Add(Retried, async (_, context) => await context.StepAsync("big", async _ => await PayAsync("big") + new string('x', 99))),
            static options => options.MaxStepBytes = 100);

        var ended = await EndOfAsync(manager, (await manager.SpawnAsync(Retried, "t1", "", cancellationToken: Stop).Within()).Id);

        Assert.Equal((TaskState.Failed, 1), (ended.State, ended.Work!.Attempt));
        Assert.Equal(["big"], Paid);
    }

    [Theory]
    [MemberData(nameof(Unwritable.Failures), MemberType = typeof(Unwritable))]
    public async Task A_result_that_cannot_be_written_is_an_error_that_says_so_and_is_not_paid_for_again(string failure)
    {
        var manager = await StartAsync(kinds => kinds.Add(Retried, async (_, context) =>
        {
            await context.StepAsync("odd", async _ =>
            {
                await PayAsync("odd");
                return Unwritable.That(failure);
            });
            return "";
        }));

        var ended = await EndOfAsync(manager, (await manager.SpawnAsync(Retried, "t1", "", cancellationToken: Stop).Within()).Id);

        Assert.Equal((TaskState.Failed, 1), (ended.State, ended.Work!.Attempt));
        Assert.StartsWith("The result of a step cannot be stored. Unwritable cannot be written as JSON.", ended.Error, StringComparison.Ordinal);
        Assert.Equal(["odd"], Paid);
    }

    [Theory]
    [MemberData(nameof(Unwritable.Failures), MemberType = typeof(Unwritable))]
    public async Task A_checkpoint_that_cannot_be_written_is_an_error_that_says_so_and_leaves_the_one_before(string failure)
    {
        var manager = await StartAsync(kinds => kinds.Add(Retried, async (_, context) =>
        {
            await context.State.SetAsync(41);
            await Assert.ThrowsAnyAsync<ArgumentException>(async () => await context.State.SetAsync(Unwritable.That(failure)));
            Paid.Enqueue($"{context.State.Get<int>()}");
            await context.State.SetAsync(Unwritable.That(failure));
            return "";
        }));

        var ended = await EndOfAsync(manager, (await manager.SpawnAsync(Retried, "t1", "", cancellationToken: Stop).Within()).Id);

        Assert.Equal((TaskState.Failed, 1), (ended.State, ended.Work!.Attempt));
        Assert.StartsWith("The checkpoint cannot be stored. Unwritable cannot be written as JSON.", ended.Error, StringComparison.Ordinal);
        Assert.Equal(["41"], Paid);
    }

    [Fact]
    public async Task What_is_stored_and_is_none_of_the_type_is_a_JsonException_whatever_its_type_throws()
    {
        var ended = await TwiceAsync(
            async context =>
            {
                await context.State.SetAsync(new { Value = 1 });
                await context.StepAsync("a", static _ => Task.FromResult(new { Value = 1 }));
                return await HangAsync();
            },
            static async context =>
            {
                var checkpoint = Assert.Throws<JsonException>(() => context.State.Get<Unwritable>());
                var step = await Assert.ThrowsAsync<JsonException>(() => context.StepAsync("a", static _ => Task.FromResult(new Unwritable())));
                Assert.Equal(checkpoint.Message, step.Message);
                return step.Message;
            });

        Assert.Equal("Unwritable cannot be read from JSON. It is odd.", ended);
    }

    [Fact]
    public async Task Too_many_steps_are_an_error_that_names_the_limit_before_anything_is_paid()
    {
        var manager = await StartAsync(
            kinds => kinds.Add(Work, async (_, context) =>
            {
                for (var i = 0; i < 4; i++)
                {
                    await context.StepAsync("step" + i, _ => PayAsync("step" + i));
                }

                return "";
            }),
            static options => options.MaxSteps = 3);

        var ended = await EndOfAsync(manager, (await manager.SpawnAsync(Work, "t1", "", cancellationToken: Stop).Within()).Id);

        Assert.Contains("MaxSteps", ended.Error, StringComparison.Ordinal);
        Assert.Equal(["step0", "step1", "step2"], Paid);
    }

    [Fact]
    public async Task A_checkpoint_is_found_again()
    {
        var ended = await TwiceAsync(
            async context =>
            {
                Assert.False(context.State.HasValue);
                Assert.Equal(0, context.State.Get<int>());
                await context.State.SetAsync(41);
                await context.State.SetAsync(42);
                Assert.Equal(42, context.State.Get<int>());
                return await HangAsync();
            },
            static context => Task.FromResult($"{context.State.HasValue} {context.State.Get<int>()}"));

        Assert.Equal("True 42", ended);
    }

    [Fact]
    public async Task What_is_left_of_a_sleep_is_slept_after_a_restart()
    {
        var asleep = new Signal();
        var first = await StartAsync(kinds => kinds.Add(Work, async (_, context) =>
        {
            await NapAsync(context);
            return "never";
        }));
        var task = await first.SpawnAsync(Work, "t1", "", cancellationToken: Stop).Within();
        await asleep.WaitAsync();
        Clock.Advance(TimeSpan.FromHours(3));
        await CrashAsync();

        var second = await StartAsync(kinds => kinds.Add(Work, async (_, context) =>
        {
            await NapAsync(context);
            return context.Manager.TimeProvider.GetUtcNow().ToString("O");
        }));
        await second.UntilAsync(task.Id, static snapshot => snapshot is { State: TaskState.Running, Work.Attempt: 2 });
        await PassAsync(TimeSpan.FromHours(2));
        Assert.Equal(TaskState.Completed, (await EndOfAsync(second, task.Id)).State);

        async Task NapAsync(DurableTaskContext context)
        {
            var nap = context.SleepAsync(TimeSpan.FromHours(5));
            _ = context.StepAsync("beside", _ =>
            {
                asleep.Set();
                return Task.CompletedTask;
            });
            await nap;
        }
    }

    [Fact]
    public async Task A_child_that_is_spawned_by_name_is_spawned_once()
    {
        var child = Kind("child");
        void Register(TaskRegistry kinds) => kinds.Add(child, (input, _) => PayAsync(input));
        var begun = new Signal();
        var first = await StartAsync(kinds =>
        {
            Register(kinds);
            kinds.Add(Work, async (_, context) =>
            {
                await (await context.SpawnAsync("child", child, "c")).ResultAsync(context.CancellationToken);
                begun.Set();
                return await HangAsync();
            });
        });
        var task = await first.SpawnAsync(Work, "t1", "", cancellationToken: Stop).Within();
        await begun.WaitAsync();
        await CrashAsync();

        var second = await StartAsync(kinds =>
        {
            Register(kinds);
            kinds.Add(Work, async (_, context) =>
            {
                var handle = await context.SpawnAsync("child", child, "c");
                return $"{await handle.ResultAsync(context.CancellationToken)} {handle.WasKnown}";
            });
        });

        Assert.Equal("c True", await second.GetHandle(Work, task.Id).ResultAsync(Stop).Within());
        Assert.Equal(["c"], Paid);
        Assert.Equal(2, (await second.ListAsync("t1", Stop)).Count);
    }

    [Fact]
    public async Task A_context_that_is_kept_after_the_end_keeps_nothing_and_refuses_what_needs_an_attempt()
    {
        DurableTaskContext? kept = null;
        var manager = await StartAsync(kinds => kinds.Add(Work, async (_, context) =>
        {
            kept = context;
            await context.State.SetAsync(1);
            return "";
        }), static options => options.ShutdownGracePeriod = TimeSpan.FromSeconds(30));
        await EndOfAsync(manager, (await manager.SpawnAsync(Work, "t1", "", cancellationToken: Stop).Within()).Id);
        await manager.DisposeAsync().Within();

        Assert.False(kept!.State.HasValue);
        Assert.True(kept.CancellationToken.IsCancellationRequested);
        await Assert.ThrowsAsync<AttemptLostException>(() => kept.StepAsync("late", static _ => Task.CompletedTask));
        await Assert.ThrowsAsync<AttemptLostException>(() => kept.State.SetAsync(2).AsTask());
        await Assert.ThrowsAsync<AttemptLostException>(() => kept.SleepAsync(TimeSpan.FromDays(1)));
        Assert.Throws<AttemptLostException>(() => kept.Park());
    }

    [Fact]
    public async Task Nothing_of_its_steps_is_left_when_the_task_has_ended()
    {
        var manager = await StartAsync(kinds => kinds.Add(Work, async (_, context) => await context.StepAsync("a", _ => PayAsync("a"))));
        var task = await manager.SpawnAsync(Work, "t1", "", cancellationToken: Stop).Within();
        await EndOfAsync(manager, task.Id);

        Assert.Empty(await Store.ReadStepsAsync(task.Id, 0, 10, Stop));
    }

    /// <summary>The attempt has come as far as the test wants.</summary>
    private async Task<string> HangAsync()
    {
        _hung.Set();
        await new Signal().Task;
        return "";
    }

    private async Task<string> TwiceAsync(Func<DurableTaskContext, Task<string>> first, Func<DurableTaskContext, Task<string>> second)
    {
        var ended = await TwiceEndAsync(first, second);
        Assert.True(ended.State == TaskState.Completed, ended.Error);
        return ended.Result!.Value.GetString()!;
    }

    /// <summary>Lets a task run until it has stored all that it can, then crashes its host, and lets it run with other code, perhaps until it has waited.</summary>
    private async Task<TaskSnapshot> TwiceEndAsync(
        Func<DurableTaskContext, Task<string>> first, Func<DurableTaskContext, Task<string>> second, TimeSpan? wait = null)
    {
        var before = await StartAsync(kinds => kinds.Add(Work, (_, context) => first(context)));
        var task = await before.SpawnAsync(Work, "t1", "x", cancellationToken: Stop).Within();
        await _hung.WaitAsync();
        await CrashAsync();

        var after = await StartAsync(kinds => kinds.Add(Work, (_, context) => second(context)));
        if (wait is { } time)
        {
            await PassAsync(time);
        }

        return await EndOfAsync(after, task.Id);
    }
}
