using System.Text.Json;

namespace Coppice.StoreContract;

/// <summary>Tasks of registered kinds: their input is stored, and whoever knows the kind runs them.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class DurableTasksContract<TStore> : DurableTest<TStore>
    where TStore : StoreFixture, new()
{
    [Fact]
    public async Task A_task_of_a_registered_kind_runs_with_its_input_and_gives_its_result()
    {
        var kind = new TaskKind<int[], int>("sum");
        var manager = await StartAsync(kinds => kinds.Add(kind, static (input, _) => Task.FromResult(input.Sum())));

        var task = await manager.SpawnAsync(kind, "t1", [1, 2, 3], cancellationToken: Stop).Within();

        Assert.Equal(6, await task.ResultAsync(Stop).Within());
        var stored = (await manager.GetAsync(task.Id, Stop))!;
        Assert.Equal((TaskState.Completed, "sum", "sum"), (stored.State, stored.Type, stored.Work!.Kind));
        Assert.Equal((1, 0, 0, "[1,2,3]"), (stored.Work.Attempt, stored.Work.Failures, stored.Work.Crashes, stored.Work.Input.GetRawText()));
        await using var inbox = await manager.OpenInboxAsync("t1", Stop);
        Assert.IsType<TaskCompleted>(Assert.Single(await inbox.DrainAsync(Stop)).Event);
    }

    [Fact]
    public async Task Input_comes_to_the_body_as_it_was_given_with_the_fields_that_the_host_does_not_know()
    {
        var kind = new TaskKind<JsonElement, string>("raw");
        var manager = await StartAsync(kinds => kinds.Add(kind, static (input, _) => Task.FromResult(input.GetRawText())));
        using var input = JsonDocument.Parse("""{"b":1.0,"a":"x","later":[true,null]}""");

        var taskId = await manager.SpawnAsync("raw", "t1", input.RootElement, cancellationToken: Stop).Within();

        Assert.Equal(input.RootElement.GetRawText(), (await manager.GetHandle(kind, taskId).ResultAsync(Stop).Within()));
    }

    [Fact]
    public async Task A_kind_that_a_host_does_not_know_stays_pending_with_the_reason_until_one_comes_that_does()
    {
        var kind = Kind();
        var ignorant = await StartAsync(static _ => { });
        var task = await ignorant.SpawnAsync(kind, "t1", "x", cancellationToken: Stop).Within();

        var waiting = (await ignorant.GetAsync(task.Id, Stop))!;
        Assert.Equal((TaskState.Pending, PendingReason.UnknownKind), (waiting.State, waiting.PendingReason));
        Assert.Equal(PendingReason.UnknownKind, Assert.Single(await ignorant.ListAsync("t1", Stop)).PendingReason);
        Assert.True(await ignorant.HasRunningAsync("t1", Stop));

        await StartAsync(kinds => kinds.Add(kind, static (input, _) => Task.FromResult(input + "!")));
        Assert.Equal("x!", await task.ResultAsync(Stop).Within());
    }

    [Fact]
    public async Task A_newer_version_of_the_input_waits_for_a_host_that_knows_it()
    {
        var old = new TaskKind<string, string>("work");
        var recent = new TaskKind<string, string>("work") { Version = 2 };
        var manager = await StartAsync(kinds => kinds.Add(old, static (_, _) => Task.FromResult("old")));
        var task = await manager.SpawnAsync(recent, "t1", "x", cancellationToken: Stop).Within();
        var before = await manager.SpawnAsync(old, "t1", "x", cancellationToken: Stop).Within();

        Assert.Equal("old", await before.ResultAsync(Stop).Within());
        Assert.Equal(PendingReason.NewerVersion, (await manager.GetAsync(task.Id, Stop))!.PendingReason);

        await StartAsync(kinds => kinds.Add(recent, static (_, _) => Task.FromResult("new")));
        Assert.Equal("new", await task.ResultAsync(Stop).Within());
    }

    [Fact]
    public async Task Input_that_is_none_of_the_kind_is_refused_at_the_door_and_fails_the_task_for_good_behind_it()
    {
        var kind = new TaskKind<int, int>("number") { Retry = new RetryPolicy { MaxRetryAttempts = 5 } };
        var manager = await StartAsync(kinds => kinds.Add(kind, static (input, _) => Task.FromResult(input)));
        using var wrong = JsonDocument.Parse("\"seven\"");

        var refused = await Assert.ThrowsAsync<ArgumentException>(() => manager.SpawnAsync("number", "t1", wrong.RootElement, cancellationToken: Stop).Within());
        Assert.Contains("number", refused.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<KeyNotFoundException>(() => manager.SpawnAsync("nobody", "t1", wrong.RootElement, cancellationToken: Stop).Within());

        var misspelt = await manager.SpawnAsync(Kind("number"), "t1", "seven", cancellationToken: Stop).Within();
        var ended = await EndOfAsync(manager, misspelt.Id);
        Assert.Equal((TaskState.Failed, 1), (ended.State, ended.Work!.Attempt));
        Assert.Contains("cannot be read as Int32", ended.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Input_that_its_type_refuses_with_whatever_exception_is_none_of_the_kind()
    {
        var kind = new TaskKind<Unwritable, int>("odd") { Retry = new RetryPolicy { MaxRetryAttempts = 5, Delay = TimeSpan.Zero } };
        var manager = await StartAsync(kinds => kinds.Add(kind, static (_, _) => Task.FromResult(1)));
        using var wrong = JsonDocument.Parse("""{"value":1}""");

        var refused = await Assert.ThrowsAsync<ArgumentException>(() => manager.SpawnAsync("odd", "t1", wrong.RootElement, cancellationToken: Stop).Within());
        Assert.Contains("none of kind 'odd'. It is odd.", refused.Message, StringComparison.Ordinal);

        var misspelt = await manager.SpawnAsync(new TaskKind<JsonElement, int>("odd"), "t1", wrong.RootElement, cancellationToken: Stop).Within();
        var ended = await EndOfAsync(manager, misspelt.Id);
        Assert.Equal((TaskState.Failed, 1), (ended.State, ended.Work!.Attempt));
        Assert.Contains("The input of kind 'odd' cannot be read as Unwritable: It is odd.", ended.Error, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Unwritable.Failures), MemberType = typeof(Unwritable))]
    public async Task Input_that_cannot_be_written_is_refused_whatever_was_thrown(string failure)
    {
        var manager = await StartAsync(static _ => { });

        var refused = await Assert.ThrowsAsync<ArgumentException>(() =>
            manager.SpawnAsync(new TaskKind<Unwritable, int>("odd"), "t1", Unwritable.That(failure), cancellationToken: Stop).Within());

        Assert.Contains("The input cannot be written as JSON.", refused.Message, StringComparison.Ordinal);
        Assert.Empty(await manager.ListAsync("t1", Stop));
    }

    [Theory]
    [MemberData(nameof(Unwritable.Failures), MemberType = typeof(Unwritable))]
    public async Task A_result_that_cannot_be_written_fails_the_task_for_good_saying_so_whatever_was_thrown(string failure)
    {
        var kind = new TaskKind<string, Unwritable>("odd") { Retry = new RetryPolicy { MaxRetryAttempts = 5, Delay = TimeSpan.Zero } };
        var manager = await StartAsync(kinds => kinds.Add(kind, (_, _) => Task.FromResult(Unwritable.That(failure))));

        var ended = await EndOfAsync(manager, (await manager.SpawnAsync(kind, "t1", "", cancellationToken: Stop).Within()).Id);

        Assert.Equal((TaskState.Failed, 1), (ended.State, ended.Work!.Attempt));
        Assert.StartsWith("The result cannot be stored: Unwritable cannot be written as JSON.", ended.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whoever_waits_for_the_result_is_told_of_a_failure_and_of_a_cancel()
    {
        var kind = Kind();
        var manager = await StartAsync(kinds => kinds.Add(kind, static async (input, context) =>
        {
            if (input == "boom")
            {
                throw new InvalidOperationException("boom");
            }

            await ParkAsync(context);
            return "";
        }));
        var failing = await manager.SpawnAsync(kind, "t1", "boom", cancellationToken: Stop).Within();
        var parked = await manager.SpawnAsync(kind, "t1", "park", cancellationToken: Stop).Within();
        await manager.UntilAsync(parked.Id, static task => task.State == TaskState.Running);

        var failure = await Assert.ThrowsAsync<TaskFailedException>(() => failing.ResultAsync(Stop).Within());
        Assert.Equal(("task_failed", "boom", failing.Id), (failure.Code, failure.Error, failure.TaskId));
        Assert.True(await manager.CancelAsync(parked.Id, Stop));
        await Assert.ThrowsAsync<TaskCanceledException>(() => parked.ResultAsync(Stop).Within());
        Assert.Equal((TaskState.Cancelled, "user"), ((await manager.GetAsync(parked.Id, Stop))!.State, (await manager.GetAsync(parked.Id, Stop))!.CancelledBy));
    }

    [Fact]
    public async Task A_pending_task_that_is_cancelled_ends_at_once_and_never_runs()
    {
        var kind = Kind();
        var manager = await StartAsync(kinds => kinds.Add(kind, (input, _) => PayAsync(input)));
        var task = await manager.SpawnAsync(kind, "t1", "x", new SpawnOptions { Delay = TimeSpan.FromMinutes(1) }, Stop).Within();

        Assert.True(await manager.CancelAsync(task.Id, Stop));

        Assert.Equal(TaskState.Cancelled, (await manager.GetAsync(task.Id, Stop))!.State);
        Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal("y", await (await manager.SpawnAsync(kind, "t1", "y", cancellationToken: Stop).Within()).ResultAsync(Stop).Within());
        Assert.Equal(["y"], Paid);
    }

    [Fact]
    public async Task It_spawns_tasks_of_its_own_like_any_body()
    {
        var child = Kind("child");
        var parent = Kind("parent");
        var manager = await StartAsync(kinds =>
        {
            kinds.Add(child, static (input, _) => Task.FromResult(input + " done"));
            kinds.Add(parent, async (_, context) =>
                await (await context.Manager.SpawnAsync(child, context.OwnerThreadId, "child")).ResultAsync(context.CancellationToken));
        });

        var task = await manager.SpawnAsync(parent, "t1", "", cancellationToken: Stop).Within();

        Assert.Equal("child done", await task.ResultAsync(Stop).Within());
        Assert.Equal(task.Id, (await manager.ListAsync("t1", Stop))[1].Lineage.TaskId);
    }

    [Fact]
    public async Task A_parent_that_waits_makes_room_for_its_child()
    {
        var child = Kind("child");
        var parent = Kind("parent");
        var manager = await StartAsync(
            kinds =>
            {
                kinds.Add(child, static (input, _) => Task.FromResult(input));
                kinds.Add(parent, async (_, context) => await (await context.SpawnAsync("only", child, "c")).ResultAsync(context.CancellationToken));
            },
            static options => options.MaxConcurrentAttempts = 1);

        var tasks = new List<TaskHandle<string>>();
        for (var i = 0; i < 5; i++)
        {
            tasks.Add(await manager.SpawnAsync(parent, "t1", "", cancellationToken: Stop).Within());
        }

        Assert.Equal(["c", "c", "c", "c", "c"], await tasks.Select(task => task.ResultAsync(Stop)).AllWithin());
    }

    [Fact]
    public async Task Options_of_registered_kinds_are_refused_for_bodies()
    {
        var manager = await StartAsync();

        foreach (var options in new SpawnOptions[]
        {
            new() { Recovery = RecoveryPolicy.Idempotent },
            new() { Delay = TimeSpan.Zero },
            new() { StartAt = Clock.GetUtcNow() },
            new() { Timeout = TimeSpan.FromSeconds(1) },
            new() { Priority = 1 },
            new() { IdempotencyKey = "k" },
        })
        {
            await Assert.ThrowsAsync<ArgumentException>(() => manager.SpawnAsync("t1", Bodies.Done, options, Stop).Within());
        }
    }

    [Fact]
    public async Task What_its_spawn_cannot_mean_is_refused_before_anything_is_stored()
    {
        var kind = new TaskKind<string, string>("work");
        var manager = await StartAsync(kinds => kinds.Add(kind, static (input, _) => Task.FromResult(input)), static options => options.MaxInputBytes = 100);

        foreach (var options in new SpawnOptions[]
        {
            new() { Delay = TimeSpan.FromSeconds(1), StartAt = Clock.GetUtcNow() },
            new() { Delay = TimeSpan.FromSeconds(-1) },
            new() { Delay = TimeSpan.FromDays(4_000) },
            new() { Timeout = TimeSpan.Zero },
            new() { Recovery = (RecoveryPolicy)9 },
            new() { IdempotencyKey = new string('k', 257) },
            new() { Blocking = true },
            new() { Continues = "bg_0" },
        })
        {
            await Assert.ThrowsAnyAsync<ArgumentException>(() => manager.SpawnAsync(kind, "t1", "x", options, Stop).Within());
        }

        var tooLong = await Assert.ThrowsAsync<ArgumentException>(() => manager.SpawnAsync(kind, "t1", new string('x', 99), null, Stop).Within());
        Assert.Contains("101 bytes; MaxInputBytes is 100", tooLong.Message, StringComparison.Ordinal);
        Assert.Empty(await manager.ListAsync("t1", Stop));
    }
}
