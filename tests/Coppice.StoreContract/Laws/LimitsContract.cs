using System.Text;
using System.Text.Json;

namespace Coppice.StoreContract;

/// <summary>The limits of the design: a value over its limit is refused before any I/O, naming both.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class LimitsContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    private const int MaxId = 256;

    public static TheoryData<string, int> OverLimit() => new()
    {
        { "spawn: owner thread", MaxId },
        { "spawn: type", MaxId },
        { "spawn: lineage task", MaxId },
        { "spawn: lineage run", MaxId },
        { "spawn: lineage call", MaxId },
        { "spawn: lineage agent", MaxId },
        { "spawn: description", 4 * 1024 },
        { "spawn agent: owner thread", MaxId },
        { "open inbox: thread", MaxId },
        { "restore: owner thread", MaxId },
        { "restore: task id", MaxId },
        { "restore: description", 4 * 1024 },
        { "send: content", 256 * 1024 },
    };

    public static TheoryData<string> IdPlaces() =>
        ["spawn: owner thread", "spawn: type", "spawn: lineage task", "spawn: lineage run", "spawn: lineage call", "spawn: lineage agent", "open inbox: thread", "restore: owner thread", "restore: task id"];

    [Theory]
    [MemberData(nameof(OverLimit))]
    public async Task A_value_over_its_limit_is_refused_before_any_io_naming_both(string place, int limit)
    {
        var store = new FaultyStore(Store);
        var manager = await StartAsync(store: store);
        var commits = store.Commits;

        // Two bytes a character, so that the limit is one of bytes.
        var over = new string('é', (limit / 2) + 1);
        var thrown = await Assert.ThrowsAnyAsync<ArgumentException>(() => UseAsync(manager, place, over));

        Assert.Contains($"{limit + 2}", thrown.Message, StringComparison.Ordinal);
        Assert.Contains($"{limit}", thrown.Message, StringComparison.Ordinal);
        Assert.Equal(commits, store.Commits);
        await UseAsync(manager, place, new string('é', limit / 2));
    }

    [Theory]
    [MemberData(nameof(IdPlaces))]
    public async Task NUL_and_lone_surrogates_are_invalid_in_ids(string place)
    {
        var store = new FaultyStore(Store);
        var manager = await StartAsync(store: store);
        var commits = store.Commits;

        await Assert.ThrowsAnyAsync<ArgumentException>(() => UseAsync(manager, place, "a\0b"));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => UseAsync(manager, place, "a" + (char)0xD83C));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => UseAsync(manager, place, (char)0xDF33 + "a"));

        Assert.Equal(commits, store.Commits);
        await UseAsync(manager, place, "🌳 \u0001 ok");
    }

    [Fact]
    public async Task NUL_and_lone_surrogates_become_replacement_characters_in_texts()
    {
        var manager = await StartAsync();
        var odd = "a\0b" + (char)0xD83C + "c" + (char)0xDF33 + "🌳";
        const string Clean = "a\uFFFDb\uFFFDc\uFFFD🌳";
        var failing = await manager.SpawnAsync("t1", _ => Task.FromResult(TaskOutcome.Failure(odd)), new SpawnOptions { Description = odd }, Stop).Within();
        var throwing = await manager.SpawnAsync("t1", (Func<TaskContext, Task>)(_ => throw new InvalidOperationException(odd)), cancellationToken: Stop).Within();
        var received = new TaskCompletionSource<MailEvent>();
        var agent = await manager.SpawnAgentAsync("t1", async context =>
        {
            received.SetResult((await context.Inbox.ReadAsync(context.CancellationToken)).Event);
            return TaskOutcome.Success("done");
        }, cancellationToken: Stop).Within();
        await manager.SendAsync(agent, new MessageSender("t1", "planner"), odd, Stop).Within();

        var failed = await manager.WaitAsync(failing, Stop).Within();
        Assert.Equal((Clean, Clean), (failed.Description, failed.Error));
        Assert.Equal(Clean, (await manager.WaitAsync(throwing, Stop).Within()).Error);
        Assert.True(AgentMessage.TryRead(await received.Task.Within(), out _, out var content));
        Assert.Equal(Clean, content);
    }

    [Theory]
    [InlineData('x', 20_000)]
    [InlineData('é', 10_000)]
    [InlineData('€', 10_000)]
    public async Task A_longer_error_is_cut(char letter, int length)
    {
        var manager = await StartAsync();
        var error = new string(letter, length);
        var id = await manager.SpawnAsync("t1", _ => Task.FromResult(TaskOutcome.Failure(error)), cancellationToken: Stop).Within();

        var cut = (await manager.WaitAsync(id, Stop).Within()).Error!;

        Assert.StartsWith(cut.TrimEnd('…'), error, StringComparison.Ordinal);
        Assert.InRange(Encoding.UTF8.GetByteCount(cut), (16 * 1024) - 8, 16 * 1024);
        await using var inbox = await manager.OpenInboxAsync("t1", Stop);
        Assert.Equal(cut, Assert.IsType<TaskFailed>(Assert.Single(await inbox.EventsAsync())).Error);
    }

    [Fact]
    public async Task A_cut_never_splits_a_character()
    {
        var manager = await StartAsync(static options => options.MaxErrorBytes = 64);
        for (var shift = 0; shift < 4; shift++)
        {
            var error = new string('x', shift) + string.Concat(Enumerable.Repeat("🌳", 40));
            var id = await manager.SpawnAsync("t1", _ => Task.FromResult(TaskOutcome.Failure(error)), cancellationToken: Stop).Within();
            var cut = (await manager.WaitAsync(id, Stop).Within()).Error!;

            Assert.DoesNotContain('\uFFFD', cut);
            Assert.InRange(new UTF8Encoding(false, throwOnInvalidBytes: true).GetByteCount(cut), 57, 64);
        }
    }

    [Fact]
    public async Task An_events_type_and_payload_have_limits_that_are_named()
    {
        var manager = await StartAsync(static options => options.MaxEventPayloadBytes = 1_000);
        var id = await manager.SpawnAsync("t1", context =>
        {
            var payload = Assert.ThrowsAny<ArgumentException>(() => context.Emit("progress", new string('x', 999)));
            Assert.Contains("1001", payload.Message, StringComparison.Ordinal);
            Assert.Contains("1000", payload.Message, StringComparison.Ordinal);
            var type = Assert.ThrowsAny<ArgumentException>(() => context.Emit(new string('x', 257), 1));
            Assert.Contains("257", type.Message, StringComparison.Ordinal);
            Assert.Contains("256", type.Message, StringComparison.Ordinal);
            Assert.ThrowsAny<ArgumentException>(() => context.Emit("", 1));
            Assert.ThrowsAny<ArgumentException>(() => context.Emit(null!, 1));
            Assert.ThrowsAny<ArgumentException>(() => context.Emit("a\0b", 1));
            Assert.ThrowsAny<ArgumentException>(() => context.Emit(AgentMessage.EventType, 1));
            Assert.ThrowsAny<ArgumentException>(() => context.Emit("progress", default(JsonElement)));
            Assert.True(context.Emit("progress", new string('x', 998)));
            return Task.FromResult(TaskOutcome.Success("done"));
        }, cancellationToken: Stop).Within();

        var ended = await manager.WaitAsync(id, Stop).Within();
        Assert.Equal((TaskState.Completed, null), (ended.State, ended.Error));
        await using var inbox = await manager.OpenInboxAsync("t1", Stop);
        Assert.Equal(2, (await inbox.EventsAsync()).Count);
    }

    [Fact]
    public async Task A_result_as_large_as_it_may_be_is_kept_and_a_larger_one_fails_the_task_naming_both()
    {
        var manager = await StartAsync();
        const int Limit = 1024 * 1024;
        var fits = await manager.SpawnAsync("t1", static _ => Task.FromResult(new string('x', Limit - 2)), cancellationToken: Stop).Within();
        var over = await manager.SpawnAsync("t1", static _ => Task.FromResult(new string('x', Limit - 1)), cancellationToken: Stop).Within();

        Assert.Equal(TaskState.Completed, (await manager.WaitAsync(fits, Stop).Within()).State);
        var failed = await manager.WaitAsync(over, Stop).Within();
        Assert.Equal(TaskState.Failed, failed.State);
        Assert.Contains($"{Limit + 1}", failed.Error, StringComparison.Ordinal);
        Assert.Contains($"{Limit}", failed.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_over_its_limit_is_refused_naming_both()
    {
        var manager = await StartAsync();
        var refused = await Assert.ThrowsAsync<SpawnException>(
            () => manager.SpawnAsync("t1", Bodies.Done, new SpawnOptions { Name = new string('x', 129) }, Stop).Within());
        Assert.Contains("129", refused.Message, StringComparison.Ordinal);
        Assert.Contains("128", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_tree_is_64_deep_and_no_deeper()
    {
        var manager = await StartAsync();
        string? parent = null;
        for (var depth = 1; depth <= 64; depth++)
        {
            parent = await manager.SpawnAsync("t1", Bodies.Park, new SpawnOptions { Lineage = new TaskLineage { TaskId = parent } }, Stop).Within();
        }

        var refused = await Assert.ThrowsAsync<SpawnException>(
            () => manager.SpawnAsync("t1", Bodies.Park, new SpawnOptions { Lineage = new TaskLineage { TaskId = parent } }, Stop).Within());

        Assert.Equal((SpawnError.TooDeep, "too_deep"), (refused.Error, refused.Code));
        Assert.Contains("64", refused.Message, StringComparison.Ordinal);
        Assert.Equal(64, await manager.CancelThreadAsync("t1", Stop).Within());
    }

    [Fact]
    public async Task So_many_events_of_a_task_wait_for_the_store_and_no_more()
    {
        var store = new FaultyStore(Store);
        var manager = await StartAsync(static options => options.MaxUnflushedEvents = 5, store);
        var hold = store.Hold<PostEvents>(FaultMoment.BeforeCommit);
        var accepted = new TaskCompletionSource<int>();
        var id = await manager.SpawnAsync("t1", async context =>
        {
            context.Emit("progress", 0);
            await hold.Reached.Task;
            accepted.SetResult(1 + Enumerable.Range(1, 20).Count(i => context.Emit("progress", i)));
            return TaskOutcome.Success("done");
        }, cancellationToken: Stop).Within();

        Assert.Equal(5, await accepted.Task.Within());
        hold.Release();
        await manager.WaitAsync(id, Stop).Within();
        await using var inbox = await manager.OpenInboxAsync("t1", Stop);
        Assert.Equal([0, 1, 2, 3, 4], (await inbox.EventsAsync()).OfType<CustomTaskEvent>().Select(Mailbag.Number));
    }

    [Fact]
    public async Task So_many_unread_events_a_thread_may_have_and_terminal_events_and_messages_are_never_refused_for_it()
    {
        var manager = await StartAsync(static options => options.MaxUnreadEvents = 5);
        var thread = new TaskCompletionSource<string>();
        var agent = await manager.SpawnAgentAsync("t1", async context =>
        {
            thread.SetResult(context.ThreadId);
            await context.WhenCancelledAsync();
            return TaskOutcome.Cancelled;
        }, cancellationToken: Stop).Within();
        var owner = await thread.Task.Within();
        await FillAsync(manager, owner);
        var second = await manager.SpawnAsync(owner, context =>
        {
            context.Emit("progress", -1);
            return Task.FromResult(TaskOutcome.Success("done"));
        }, cancellationToken: Stop).Within();
        await manager.WaitAsync(second, Stop).Within();
        Assert.Equal(SendResult.Delivered, (await manager.SendAsync(agent, new MessageSender("t1", "planner"), "x", Stop).Within()).Result);

        await using var inbox = await manager.OpenInboxAsync(owner, Stop);
        var mail = await inbox.EventsAsync();
        Assert.Equal(2, mail.OfType<TaskCompleted>().Count());
        Assert.Single(mail, static item => AgentMessage.TryRead(item, out _, out _));
        Assert.Equal(5, mail.OfType<CustomTaskEvent>().Count(static custom => custom.EventType == "progress"));
        await inbox.AckAsync(long.MaxValue, Stop);
        await FillAsync(manager, owner);
    }

    [Fact]
    public async Task An_agents_inbox_is_full_at_10_000_messages_that_were_not_read()
    {
        var manager = await StartAsync(static options => options.MaxUnreadMessages = 50);
        var held = new TaskCompletionSource<AgentTaskContext>();
        var agent = await manager.SpawnAgentAsync("t1", async context =>
        {
            held.SetResult(context);
            await context.WhenCancelledAsync();
            return TaskOutcome.Cancelled;
        }, cancellationToken: Stop).Within();
        var context = await held.Task.Within();
        var sender = new MessageSender("t1", "planner");

        var results = await Enumerable.Range(0, 80).Select(_ => Task.Run(async () => (await manager.SendAsync(agent, sender, "x", Stop)).Result, Stop)).AllWithin();

        Assert.Equal(50, results.Count(static result => result == SendResult.Delivered));
        Assert.Equal(30, results.Count(static result => result == SendResult.InboxFull));
        await context.Inbox.ReadAsync(10);
        results = await Enumerable.Range(0, 20).Select(_ => Task.Run(async () => (await manager.SendAsync(agent, sender, "x", Stop)).Result, Stop)).AllWithin();
        Assert.Equal(10, results.Count(static result => result == SendResult.Delivered));
        Assert.Equal(10_000, new BackgroundTaskOptions().MaxUnreadMessages);
    }

    [Fact]
    public void The_limits_of_the_design_are_the_defaults()
    {
        var options = new BackgroundTaskOptions();
        Assert.Equal(
            (128, 256, 4 * 1024, 1024 * 1024, 1024 * 1024, 16 * 1024, 256 * 1024),
            (options.MaxNameLength, options.MaxIdBytes, options.MaxDescriptionBytes, options.MaxResultBytes, options.MaxEventPayloadBytes, options.MaxErrorBytes, options.MaxMessageBytes));
        Assert.Equal((10_000, 100_000, 10_000, 64), (options.MaxUnflushedEvents, options.MaxUnreadEvents, options.MaxUnreadMessages, options.MaxDepth));
        Assert.Equal((TimeSpan.FromSeconds(25), TimeSpan.FromSeconds(15)), (options.ShutdownGracePeriod, options.HostTimeout));
    }

    [Fact]
    public async Task Missing_arguments_are_refused_before_any_io()
    {
        var store = new FaultyStore(Store);
        var manager = await StartAsync(store: store);
        var commits = store.Commits;
        Func<TaskContext, Task<TaskOutcome>> body = Bodies.Done;

        await Assert.ThrowsAsync<ArgumentNullException>(() => BackgroundTaskManager.StartAsync(null!, null, Stop).Within());
        await Assert.ThrowsAsync<ArgumentNullException>(() => manager.SpawnAsync(null!, body, cancellationToken: Stop).Within());
        await Assert.ThrowsAsync<ArgumentException>(() => manager.SpawnAsync("", body, cancellationToken: Stop).Within());
        await Assert.ThrowsAsync<ArgumentNullException>(() => manager.SpawnAsync("t1", (Func<TaskContext, Task<TaskOutcome>>)null!, cancellationToken: Stop).Within());
        await Assert.ThrowsAsync<ArgumentNullException>(() => manager.SpawnAsync("t1", (Func<TaskContext, Task<int>>)null!, cancellationToken: Stop).Within());
        await Assert.ThrowsAsync<ArgumentNullException>(() => manager.SpawnAsync("t1", (Func<TaskContext, Task>)null!, cancellationToken: Stop).Within());
        await Assert.ThrowsAsync<ArgumentNullException>(() => manager.SpawnAgentAsync("t1", null!, cancellationToken: Stop).Within());
        await Assert.ThrowsAsync<ArgumentNullException>(() => manager.CancelAsync(null!, Stop).Within());
        await Assert.ThrowsAsync<ArgumentNullException>(() => manager.CancelTreeAsync(null!, Stop).Within());
        await Assert.ThrowsAsync<ArgumentNullException>(() => manager.CancelThreadAsync(null!, Stop).Within());
        await Assert.ThrowsAsync<ArgumentNullException>(() => manager.CancelRunAsync(null!, Stop).Within());
        await Assert.ThrowsAsync<ArgumentNullException>(() => manager.GetAsync(null!, Stop).Within());
        await Assert.ThrowsAsync<ArgumentNullException>(() => manager.WaitAsync(null!, Stop).Within());
        await Assert.ThrowsAsync<ArgumentNullException>(() => manager.ListAsync(null!, Stop).Within());
        await Assert.ThrowsAsync<ArgumentNullException>(() => manager.HasRunningAsync(null!, Stop).Within());
        await Assert.ThrowsAsync<ArgumentNullException>(() => manager.OpenInboxAsync(null!, Stop).Within());
        await Assert.ThrowsAsync<ArgumentNullException>(() => manager.SendAsync(null!, new MessageSender("t1", "a"), "x", Stop).Within());
        await Assert.ThrowsAsync<ArgumentNullException>(() => manager.SendAsync("bg_0", new MessageSender("t1", "a"), null!, Stop).Within());
        await Assert.ThrowsAsync<ArgumentNullException>(() => manager.FindLiveChildAsync(null!, "x", Stop).Within());
        await Assert.ThrowsAsync<ArgumentNullException>(() => manager.FindLiveChildAsync(TaskLineage.None, null!, Stop).Within());
        await Assert.ThrowsAsync<ArgumentNullException>(() => manager.QueryAsync(null!, Stop).GetAsyncEnumerator(Stop).MoveNextAsync().Within());

        Assert.Equal(commits, store.Commits);
    }

    private static async Task FillAsync(BackgroundTaskManager manager, string thread)
    {
        var more = new TaskCompletionSource<bool>();
        await using var changes = manager.WatchAsync(new TaskQuery { OwnerThreadId = thread }, Stop).GetAsyncEnumerator(Stop);
        var next = changes.MoveNextAsync();
        var go = new Signal();
        var id = await manager.SpawnAsync(thread, async context =>
        {
            for (var i = 0; i < 5; i++)
            {
                Assert.True(context.Emit("progress", i));
            }

            await go.Task;
            more.SetResult(context.Emit("progress", 5));
            return TaskOutcome.Success("done");
        }, cancellationToken: Stop).Within();
        for (var stored = 0; stored < 5; next = changes.MoveNextAsync())
        {
            Assert.True(await next.AsTask().Within());
            stored += changes.Current.Kind == TaskChangeKind.Emitted ? 1 : 0;
        }

        go.Set();
        Assert.False(await more.Task.Within(), "An event was taken beyond the limit.");
        await manager.WaitAsync(id, Stop).Within();
        await next.AsTask().Within();
    }

    private static async Task UseAsync(BackgroundTaskManager manager, string place, string value)
    {
        switch (place)
        {
            case "spawn: owner thread": await manager.SpawnAsync(value, Bodies.Done, cancellationToken: Stop).Within(); break;
            case "spawn: type": await SpawnAsync(new SpawnOptions { Type = value }); break;
            case "spawn: lineage task": await SpawnAsync(new SpawnOptions { Lineage = new TaskLineage { TaskId = value } }); break;
            case "spawn: lineage run": await SpawnAsync(new SpawnOptions { Lineage = new TaskLineage { RunId = value } }); break;
            case "spawn: lineage call": await SpawnAsync(new SpawnOptions { Lineage = new TaskLineage { CallId = value } }); break;
            case "spawn: lineage agent": await SpawnAsync(new SpawnOptions { Lineage = new TaskLineage { AgentId = value } }); break;
            case "spawn: description": await SpawnAsync(new SpawnOptions { Description = value }); break;
            case "spawn agent: owner thread": await manager.SpawnAgentAsync(value, Bodies.Done, cancellationToken: Stop).Within(); break;
            case "open inbox: thread": await (await manager.OpenInboxAsync(value, Stop).Within()).DisposeAsync(); break;
            case "restore: owner thread": await manager.RestoreAsync(value, [Old("bg_5")], Stop).Within(); break;
            case "restore: task id": await manager.RestoreAsync("t1", [Old(value)], Stop).Within(); break;
            case "restore: description": await manager.RestoreAsync("t1", [Old("bg_5") with { Description = value }], Stop).Within(); break;
            case "send: content": await manager.SendAsync("bg_99", new MessageSender("t1", "a"), value, Stop).Within(); break;
            default: throw new ArgumentOutOfRangeException(nameof(place), place, "There is no such place.");
        }

        Task<string> SpawnAsync(SpawnOptions options) => manager.SpawnAsync("t1", Bodies.Done, options, Stop).Within();
    }

    private static TaskSnapshot Old(string id) =>
        new() { TaskId = id, State = TaskState.Completed, CreatedAt = DateTimeOffset.UnixEpoch, CompletedAt = DateTimeOffset.UnixEpoch };
}
