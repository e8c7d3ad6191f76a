using System.Text.Json;

namespace Coppice.StoreContract;

/// <summary>Law 3: the body decides.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class Law03BodyDecidesContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    [Fact]
    public async Task A_returned_outcome_is_the_outcome()
    {
        var manager = await StartAsync();
        Assert.Equal(TaskState.Completed, (await EndAsync(manager, static _ => Task.FromResult(TaskOutcome.Success(1)))).State);
        Assert.Equal(TaskState.Cancelled, (await EndAsync(manager, static _ => Task.FromResult(TaskOutcome.Cancelled))).State);
        var failed = await EndAsync(manager, static _ => Task.FromResult(TaskOutcome.Failure("boom")));
        Assert.Equal((TaskState.Failed, "boom"), (failed.State, failed.Error));
    }

    [Theory]
    [InlineData(TaskState.Completed)]
    [InlineData(TaskState.Failed)]
    [InlineData(TaskState.Cancelled)]
    public async Task A_returned_outcome_is_the_outcome_also_after_a_cancel_request(TaskState state)
    {
        var manager = await StartAsync();
        var id = await manager.SpawnAsync("t1", async context =>
        {
            await context.WhenCancelledAsync();
            return await Bodies.As(state);
        }, cancellationToken: Stop).Within();

        Assert.True(await manager.CancelAsync(id, Stop).Within());

        var ended = await manager.WaitAsync(id, Stop).Within();
        Assert.Equal((state, "user"), (ended.State, ended.CancelledBy));
    }

    [Fact]
    public async Task An_OperationCanceledException_is_Cancelled_while_the_tasks_own_token_is_cancelled()
    {
        var manager = await StartAsync();
        var own = await SpawnAndCancelAsync(manager, static async context =>
        {
            await context.WhenCancelledAsync();
            context.CancellationToken.ThrowIfCancellationRequested();
            return TaskOutcome.Success("never");
        });
        var foreign = await SpawnAndCancelAsync(manager, static async context =>
        {
            await context.WhenCancelledAsync();
            throw new TaskCanceledException("of something else");
        });
        var cancelledTask = await SpawnAndCancelAsync(manager, static async context =>
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.CancellationToken).ContinueWith(
                static _ => TaskOutcome.Success("never"), context.CancellationToken, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default));

        var faulted = await SpawnAndCancelAsync(manager, static context =>
            context.WhenCancelledAsync().ContinueWith(
                static _ => Task.FromException<TaskOutcome>(new OperationCanceledException("as a fault")), TaskScheduler.Default).Unwrap());

        Assert.All([own, foreign, cancelledTask, faulted], static task => Assert.Equal((TaskState.Cancelled, null), (task.State, task.Error)));
    }

    [Fact]
    public async Task An_OperationCanceledException_before_the_first_await_is_Cancelled_while_the_tasks_own_token_is_cancelled()
    {
        var manager = await StartAsync();
        var started = new Signal();
        var id = await manager.SpawnAsync(
            "t1",
            context =>
            {
                started.Set();
                context.CancellationToken.WaitHandle.WaitOne();
                throw new OperationCanceledException();
            },
            new SpawnOptions { Blocking = true },
            Stop).Within();
        await started.Task.Within();
        await manager.CancelAsync(id, Stop).Within();

        var ended = await manager.WaitAsync(id, Stop).Within();

        Assert.Equal((TaskState.Cancelled, null), (ended.State, ended.Error));
    }

    [Fact]
    public async Task Whatever_form_a_body_has_its_task_is_a_task_and_no_agent()
    {
        var manager = await StartAsync();
        string[] ids =
        [
            await manager.SpawnAsync("t1", static _ => Task.FromResult(TaskOutcome.Success("outcome")), cancellationToken: Stop).Within(),
            await manager.SpawnAsync("t1", static _ => Task.FromResult("value"), cancellationToken: Stop).Within(),
            await manager.SpawnAsync("t1", static _ => Task.CompletedTask, cancellationToken: Stop).Within(),
            await manager.SpawnAsync("t1", static _ => Task.FromResult("value"), StringContract, cancellationToken: Stop).Within(),
        ];
        var agent = await manager.SpawnAgentAsync("t1", static _ => Task.FromResult(TaskOutcome.Cancelled), cancellationToken: Stop).Within();

        foreach (var id in ids)
        {
            var task = (await manager.GetAsync(id, Stop).Within())!;
            Assert.Equal(("task", null), (task.Type, task.AgentThreadId));
        }

        var known = (await manager.GetAsync(agent, Stop).Within())!;
        Assert.Equal("sub_agent", known.Type);
        Assert.NotNull(known.AgentThreadId);
    }

    [Fact]
    public async Task An_OperationCanceledException_is_a_failure_while_the_tasks_own_token_is_not_cancelled()
    {
        var manager = await StartAsync();
        var thrown = await EndAsync(manager, static async _ =>
        {
            await Task.Yield();
            throw new OperationCanceledException("the web call timed out");
        });
        var cancelledTask = await EndAsync(manager, static _ => Task.FromCanceled<TaskOutcome>(new CancellationToken(canceled: true)));

        Assert.Equal((TaskState.Failed, "the web call timed out"), (thrown.State, thrown.Error));
        Assert.Equal(TaskState.Failed, cancelledTask.State);
        Assert.False(string.IsNullOrEmpty(cancelledTask.Error));
    }

    [Fact]
    public async Task Every_other_exception_is_a_failure_with_its_message_also_after_a_cancel_request()
    {
        var manager = await StartAsync();
        var thrown = await EndAsync(manager, static async _ =>
        {
            await Task.Yield();
            throw new InvalidOperationException("boom");
        });
        var afterCancel = await SpawnAndCancelAsync(manager, static async context =>
        {
            await context.WhenCancelledAsync();
            throw new InvalidOperationException("boom");
        });

        Assert.Equal((TaskState.Failed, "boom"), (thrown.State, thrown.Error));
        Assert.Equal((TaskState.Failed, "boom"), (afterCancel.State, afterCancel.Error));
    }

    [Fact]
    public async Task A_body_that_throws_before_its_first_await_fails_and_its_spawn_does_not()
    {
        var manager = await StartAsync();
        Func<TaskContext, Task<TaskOutcome>> outcome = static _ => throw new InvalidOperationException("outcome");
        Func<TaskContext, Task<int>> typed = static _ => throw new InvalidOperationException("typed");
        Func<TaskContext, Task> plain = static _ => throw new InvalidOperationException("plain");
        Func<AgentTaskContext, Task<TaskOutcome>> agent = static _ => throw new InvalidOperationException("agent");

        var ids = new[]
        {
            await manager.SpawnAsync("t1", outcome, cancellationToken: Stop).Within(),
            await manager.SpawnAsync("t1", typed, cancellationToken: Stop).Within(),
            await manager.SpawnAsync("t1", plain, cancellationToken: Stop).Within(),
            await manager.SpawnAgentAsync("t1", agent, cancellationToken: Stop).Within(),
            await manager.SpawnAsync("t1", outcome, new SpawnOptions { Blocking = true }, Stop).Within(),
        };

        var ends = await ids.Select(id => manager.WaitAsync(id, Stop)).AllWithin();
        Assert.All(ends, static end => Assert.Equal(TaskState.Failed, end.State));
        Assert.Equal(["outcome", "typed", "plain", "agent", "outcome"], ends.Select(static end => end.Error));
    }

    [Fact]
    public async Task A_body_that_returns_null_fails()
    {
        var manager = await StartAsync();
        var nullTask = await EndAsync(manager, static _ => null!);
        var nullOutcome = await EndAsync(manager, static _ => Task.FromResult<TaskOutcome>(null!));
        var nullTyped = await manager.SpawnAsync("t1", (Func<TaskContext, Task<int>>)(static _ => null!), cancellationToken: Stop).Within();
        var nullPlain = await manager.SpawnAsync("t1", (Func<TaskContext, Task>)(static _ => null!), cancellationToken: Stop).Within();

        TaskSnapshot[] ends = [nullTask, nullOutcome, await manager.WaitAsync(nullTyped, Stop).Within(), await manager.WaitAsync(nullPlain, Stop).Within()];
        Assert.All(ends, static end => Assert.Equal(TaskState.Failed, end.State));
        Assert.All(ends, static end => Assert.Contains("null", end.Error, StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task A_typed_body_ends_with_its_value_as_web_json_and_a_plain_one_without_a_result()
    {
        var manager = await StartAsync();
        var typed = await manager.SpawnAsync("t1", static _ => Task.FromResult(new Pages(3, null)), cancellationToken: Stop).Within();
        var contract = (System.Text.Json.Serialization.Metadata.JsonTypeInfo<Pages>)JsonSerializerOptions.Web.GetTypeInfo(typeof(Pages));
        var byContract = await manager.SpawnAsync("t1", static _ => Task.FromResult(new Pages(4, "x")), contract, cancellationToken: Stop).Within();
        var nullValue = await manager.SpawnAsync("t1", static _ => Task.FromResult<string?>(null), cancellationToken: Stop).Within();
        var plain = await manager.SpawnAsync("t1", static async _ => await Task.Yield(), cancellationToken: Stop).Within();

        Assert.Equal("""{"pageCount":3,"note":null}""", (await manager.WaitAsync(typed, Stop).Within()).Result!.Value.GetRawText());
        Assert.Equal("""{"pageCount":4,"note":"x"}""", (await manager.WaitAsync(byContract, Stop).Within()).Result!.Value.GetRawText());
        Assert.Equal(JsonValueKind.Null, (await manager.WaitAsync(nullValue, Stop).Within()).Result!.Value.ValueKind);
        var ended = await manager.WaitAsync(plain, Stop).Within();
        Assert.Equal((TaskState.Completed, null), (ended.State, ended.Result));
    }

    [Fact]
    public async Task A_result_is_kept_byte_for_byte()
    {
        const string Json = """{"b":1.50,"a":[1E3,"\u00e9"]}""";
        var manager = await StartAsync();

        var ended = await EndAsync(manager, static _ => Task.FromResult(TaskOutcome.Success(Mailbag.Json(Json))));

        Assert.Equal(Json, ended.Result!.Value.GetRawText());
        await using var inbox = await manager.OpenInboxAsync("t1", Stop);
        Assert.Equal(Json, ((TaskCompleted)Assert.Single(await inbox.EventsAsync())).Result!.Value.GetRawText());
    }

    [Fact]
    public async Task A_result_that_cannot_be_stored_ends_the_task_as_failed_saying_so()
    {
        var manager = await StartAsync(static options => options.MaxResultBytes = 100);
        var fits = await EndAsync(manager, static _ => Task.FromResult(TaskOutcome.Success(new string('x', 98))));
        var tooLarge = await EndAsync(manager, static _ => Task.FromResult(TaskOutcome.Success(new string('x', 99))));
        var inBytes = await EndAsync(manager, static _ => Task.FromResult(TaskOutcome.Success(Mailbag.Json('"' + new string('é', 60) + '"'))));
        var tooDeep = await EndAsync(manager, static _ => Task.FromResult(TaskOutcome.Success(Nested(62))));
        var undefined = await EndAsync(manager, static _ => Task.FromResult(TaskOutcome.Success(default(JsonElement))));

        Assert.Equal(TaskState.Completed, fits.State);
        Assert.All([tooLarge, inBytes, tooDeep, undefined], static end => Assert.Equal((TaskState.Failed, null), (end.State, end.Result)));
        Assert.All([tooLarge, inBytes], static end => Assert.Contains("100", end.Error, StringComparison.Ordinal));
        Assert.Contains("101", tooLarge.Error, StringComparison.Ordinal);
        Assert.All([tooDeep, undefined], static end => Assert.False(string.IsNullOrEmpty(end.Error)));
    }

    [Fact]
    public async Task A_value_that_is_not_json_ends_the_task_as_failed_saying_so()
    {
        var manager = await StartAsync();
        var cycle = new Loop();
        cycle.Self = cycle;

        var cyclic = await manager.SpawnAsync("t1", _ => Task.FromResult(cycle), cancellationToken: Stop).Within();
        var notANumber = await manager.SpawnAsync("t1", static _ => Task.FromResult(double.NaN), cancellationToken: Stop).Within();
        var pointer = await manager.SpawnAsync("t1", static _ => Task.FromResult(typeof(int)), cancellationToken: Stop).Within();

        foreach (var id in new[] { cyclic, notANumber, pointer })
        {
            var ended = await manager.WaitAsync(id, Stop).Within();
            Assert.Equal(TaskState.Failed, ended.State);
            Assert.False(string.IsNullOrEmpty(ended.Error));
        }
    }

    [Theory]
    [MemberData(nameof(Unwritable.Failures), MemberType = typeof(Unwritable))]
    public async Task A_value_whose_getter_throws_is_a_result_that_cannot_be_stored_whatever_it_throws(string failure)
    {
        var manager = await StartAsync();
        var id = await manager.SpawnAsync("t1", _ => Task.FromResult(Unwritable.That(failure)), cancellationToken: Stop).Within();

        var ended = await manager.WaitAsync(id, Stop).Within();

        Assert.Equal(TaskState.Failed, ended.State);
        Assert.StartsWith("The result cannot be stored: Unwritable cannot be written as JSON.", ended.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_result_that_cannot_be_stored_after_a_cancel_request_fails_too()
    {
        var manager = await StartAsync(static options => options.MaxResultBytes = 16);
        var ended = await SpawnAndCancelAsync(manager, static async context =>
        {
            await context.WhenCancelledAsync();
            return TaskOutcome.Success(new string('x', 100));
        });
        Assert.Equal(TaskState.Failed, ended.State);
    }

    [Fact]
    public async Task A_blocking_body_has_a_thread_of_its_own_until_its_first_await()
    {
        var manager = await StartAsync();
        var pool = new TaskCompletionSource<bool>();
        var id = await manager.SpawnAsync("t1", async _ =>
        {
            pool.SetResult(Thread.CurrentThread.IsThreadPoolThread);
            await Task.Yield();
            return TaskOutcome.Success("done");
        }, new SpawnOptions { Blocking = true }, Stop).Within();

        Assert.False(await pool.Task.Within());
        Assert.Equal(TaskState.Completed, (await manager.WaitAsync(id, Stop).Within()).State);
    }

    [Fact]
    public async Task A_blocking_body_has_its_own_context_and_is_cancelled_like_any_other()
    {
        var manager = await StartAsync();
        var current = new TaskCompletionSource<string?>();
        var id = await manager.SpawnAsync("t1", context =>
        {
            current.SetResult(TaskContext.Current?.TaskId);
            context.CancellationToken.WaitHandle.WaitOne(Wait.Guard);
            return Task.FromResult(TaskOutcome.Cancelled);
        }, new SpawnOptions { Blocking = true }, Stop).Within();

        Assert.Equal(id, await current.Task.Within());
        Assert.True(await manager.CancelAsync(id, Stop).Within());
        Assert.Equal(TaskState.Cancelled, (await manager.WaitAsync(id, Stop).Within()).State);
    }

    private static JsonElement Nested(int depth) => Mailbag.Json(new string('[', depth) + new string(']', depth));

    private static async Task<TaskSnapshot> EndAsync(BackgroundTaskManager manager, Func<TaskContext, Task<TaskOutcome>> body)
    {
        var id = await manager.SpawnAsync("t1", body, cancellationToken: Stop).Within();
        return await manager.WaitAsync(id, Stop).Within();
    }

    private static async Task<TaskSnapshot> SpawnAndCancelAsync(BackgroundTaskManager manager, Func<TaskContext, Task<TaskOutcome>> body)
    {
        var id = await manager.SpawnAsync("t1", body, cancellationToken: Stop).Within();
        Assert.True(await manager.CancelAsync(id, Stop).Within());
        return await manager.WaitAsync(id, Stop).Within();
    }

    private sealed record Pages(int PageCount, string? Note);

    private sealed class Loop
    {
        public Loop? Self { get; set; }
    }

    private static System.Text.Json.Serialization.Metadata.JsonTypeInfo<string> StringContract =>
        (System.Text.Json.Serialization.Metadata.JsonTypeInfo<string>)System.Text.Json.JsonSerializerOptions.Web.GetTypeInfo(typeof(string));
}
