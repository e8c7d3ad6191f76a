using System.Text;
using System.Text.Json;

namespace Coppice.StoreContract;

/// <summary>
/// Every id that the manager lets through is kept whole and found again wherever ids are looked up, and is told apart from one that differs at its end, as
/// long as <see cref="BackgroundTaskOptions.MaxIdBytes"/> may let it be.
/// </summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class LongIdsContract<TStore> : DurableTest<TStore>
    where TStore : StoreFixture, new()
{
    private const int MaxIdBytes = 4096;

    // What a database may take for an escape, for a pattern or for the end of a text, and characters of each length.
    private const string Letters = @"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789\\\'""%_{}[]() é€🌳";

    private readonly Random _random = new(RandomSeed.Draw());

    [Fact]
    public async Task A_thread_is_found_by_it()
    {
        var manager = await StartAsync(static _ => { }, Long);
        foreach (var (thread, other) in Pairs())
        {
            var task = await manager.SpawnAsync(thread, Bodies.Park, new SpawnOptions { Name = "one" }, Stop).Within();
            var second = await manager.SpawnAsync(other, Bodies.Park, new SpawnOptions { Name = "one" }, Stop).Within();
            await manager.PostAsync(other, new MessageSender(thread, "planner"), "hello", cancellationToken: Stop).Within();

            Assert.Equal(task, Assert.Single(await manager.ListAsync(thread, Stop)).TaskId);
            Assert.Equal((second, other), Ids(Assert.Single(await manager.ListAsync(other, Stop))));
            Assert.Equal(1, await manager.CancelThreadAsync(thread, Stop).Within());
            await manager.WaitAsync(task, Stop).Within();
            Assert.False(await manager.HasRunningAsync(thread, Stop));
            Assert.True(await manager.HasRunningAsync(other, Stop));
            await using var inbox = await manager.OpenInboxAsync(thread, Stop);
            Assert.Equal(task, Assert.IsType<TaskCancelled>(Assert.Single(await inbox.EventsAsync())).TaskId);
            await using var others = await manager.OpenInboxAsync(other, Stop);
            Assert.Equal(thread, Assert.IsType<ThreadMessage>(Assert.Single(await others.EventsAsync())).FromThreadId);
        }
    }

    [Fact]
    public async Task A_task_is_found_by_it_and_so_are_its_children()
    {
        var manager = await StartAsync(static _ => { }, Long);
        foreach (var (parent, other) in Pairs())
        {
            var (child, lonely) = (Id(), Id());
            TaskSnapshot[] tasks = [Old(parent), Old(child) with { Lineage = new TaskLineage { TaskId = parent, RunId = Id(), CallId = Id(), AgentId = Id() } }];
            Assert.Equal(new RestoreResult(2, 0, 0), await manager.RestoreAsync("t1", tasks, Stop).Within());
            Assert.Equal(new RestoreResult(1, 2, 0), await manager.RestoreAsync("t1", [.. tasks, Old(lonely)], Stop).Within());

            Assert.Equal(tasks[1] with { OwnerThreadId = "t1" }, await manager.GetAsync(child, Stop));
            Assert.Equal([child], await QueryAsync(manager, new() { ParentTaskId = parent }));
            Assert.Null(await manager.GetAsync(other, Stop));
            Assert.Empty(await QueryAsync(manager, new() { ParentTaskId = other }));
            Assert.Null(await manager.FindLiveChildAsync(new TaskLineage { TaskId = parent }, child, Stop));
            Assert.False(await manager.CancelAsync(child, Stop).Within());
        }
    }

    [Fact]
    public async Task A_run_is_found_by_it()
    {
        var manager = await StartAsync(static _ => { }, Long);
        foreach (var (run, other) in Pairs())
        {
            var thread = Id();
            var name = string.Concat(Enumerable.Range(0, 128).Select(i => (char)(0x4E00 + _random.Next(0x5000))));
            var task = await manager.SpawnAsync(thread, Bodies.Park, new SpawnOptions { Name = name, Lineage = new TaskLineage { RunId = run } }, Stop).Within();
            var second = await manager.SpawnAsync(
                Id(), Bodies.Park, new SpawnOptions { Name = name, Lineage = new TaskLineage { RunId = other, CallId = Id(), AgentId = Id() } }, Stop).Within();
            var child = await manager.SpawnAsync(
                thread, Bodies.Park, new SpawnOptions { Lineage = new TaskLineage { TaskId = task, RunId = run } }, Stop).Within();

            Assert.Equal([task, child], await QueryAsync(manager, new() { RunId = run }));
            Assert.Equal([second], await QueryAsync(manager, new() { RunId = other, States = [TaskState.Running] }));
            Assert.Equal(task, await manager.FindLiveChildAsync(new TaskLineage { RunId = run }, name, Stop));
            Assert.Equal(second, await manager.FindLiveChildAsync(new TaskLineage { RunId = other }, name, Stop));
            Assert.Null(await manager.FindLiveChildAsync(new TaskLineage { RunId = other }, task, Stop));
            Assert.Equal(2, await manager.CancelRunAsync(run, Stop).Within());
            await manager.WaitAsync(task, Stop).Within();
            Assert.Equal(TaskState.Running, (await manager.GetAsync(second, Stop))!.State);
        }
    }

    [Fact]
    public async Task Work_is_found_by_its_key_and_its_steps()
    {
        foreach (var (key, other) in Pairs())
        {
            var (step, thread) = (Id(), Id());
            var kind = Kind();
            var manager = await StartAsync(kinds => kinds.Add(kind, TwoStepsAsync), Long);
            var task = await manager.SpawnAsync(kind, thread, "a", new SpawnOptions { IdempotencyKey = key }, Stop).Within();
            var again = await manager.SpawnAsync(kind, thread, "b", new SpawnOptions { IdempotencyKey = key }, Stop).Within();
            var second = await manager.SpawnAsync(kind, thread, "c", new SpawnOptions { IdempotencyKey = other }, Stop).Within();

            Assert.Equal(task.Id, again.Id);
            Assert.Equal("a12", await task.ResultAsync(Stop).Within());
            Assert.Equal("c12", await second.ResultAsync(Stop).Within());
            Assert.Equal(key, (await manager.GetAsync(task.Id, Stop))!.Work!.IdempotencyKey);
            await manager.DisposeAsync().Within();

            async Task<string> TwoStepsAsync(string input, DurableTaskContext context) =>
                await context.StepAsync(step, _ => Task.FromResult(input + "1")) + await context.StepAsync(Twin(step), _ => Task.FromResult("2"));
        }
    }

    [Fact]
    public async Task A_kind_that_came_with_a_snapshot_is_found_by_it()
    {
        var manager = await StartAsync(static _ => { }, Long);
        foreach (var (kind, other) in Pairs())
        {
            var tasks = new[] { kind, other }.Select(each => Old(Id()) with
            {
                Work = new TaskWork { Kind = each, Version = 1, Recovery = RecoveryPolicy.Resumable, Input = JsonElement.Parse("1"), IdempotencyKey = Id() },
            }).ToList();
            Assert.Equal(2, (await manager.RestoreAsync("t1", tasks, Stop).Within()).Added);

            Assert.Equal([tasks[0].TaskId], await QueryAsync(manager, new() { Kind = kind }));
            Assert.Equal([tasks[1].TaskId], await QueryAsync(manager, new() { Kind = other }));
            Assert.Equal(tasks[0].Work, (await manager.GetAsync(tasks[0].TaskId, Stop))!.Work);
        }
    }

    [Fact]
    public async Task A_message_counts_once_by_it_also_when_it_comes_again_after_it_was_forgotten()
    {
        var transport = new RecordingTransport();
        var manager = await StartAsync(static _ => { }, options =>
        {
            Long(options);
            options.MessageIdMemory = TimeSpan.FromHours(1);
            options.MessageTransport = transport;
        });
        foreach (var (message, other) in Pairs())
        {
            var (thread, sender) = (Id(), new MessageSender(Id(), Id()));
            var sent = transport.Sent.Count;
            foreach (var id in new[] { message, message, other, other })
            {
                Assert.Equal(new PostReceipt(id, PostResult.Accepted), await manager.PostAsync(thread, sender, "in", new PostOptions { MessageId = id, ToAgentId = Id() }, Stop).Within());
                Assert.Equal(new PostReceipt(id, PostResult.Accepted), await manager.PostAsync("remote-1", sender, "out", new PostOptions { MessageId = id }, Stop).Within());
                Assert.Equal(PostResult.Accepted, (await manager.DeliverAsync("t1", new ThreadMessage(id, sender.ThreadId, sender.AgentId, "brought"), Stop).Within()).Result);
            }

            await transport.UntilAsync(all => all.Sent.Count >= sent + 2);
            Assert.Equal([message, other], transport.Sent.Skip(sent).Select(static each => each.Message.MessageId));
            foreach (var where in new[] { thread, "t1" })
            {
                await using var inbox = await manager.OpenInboxAsync(where, Stop);
                var items = await inbox.DrainAsync(Stop);
                Assert.Equal([message, other], items.Select(static item => ((ThreadMessage)item.Event).MessageId));
                await inbox.AckAsync(items[^1].Sequence, Stop);
            }
        }

        // Not all of them are gone from the store by then, and those that are there count no more.
        var (again, late) = (Id(), Id());
        await manager.PostAsync(late, new MessageSender("t0", "planner"), "first", new PostOptions { MessageId = again }, Stop).Within();
        await using var reader = await manager.OpenInboxAsync(late, Stop);
        await reader.AckAsync(Assert.Single(await reader.DrainAsync(Stop)).Sequence, Stop);
        Clock.Advance(TimeSpan.FromHours(2));
        await manager.PostAsync(late, new MessageSender("t0", "planner"), "second", new PostOptions { MessageId = again }, Stop).Within();
        Assert.Equal("second", Assert.IsType<ThreadMessage>(Assert.Single(await reader.DrainAsync(Stop)).Event).Content);
    }

    private static void Long(BackgroundTaskOptions options) => options.MaxIdBytes = MaxIdBytes;

    private static (string Task, string Thread) Ids(TaskSnapshot task) => (task.TaskId, task.OwnerThreadId);

    private static TaskSnapshot Old(string id) =>
        new() { TaskId = id, State = TaskState.Completed, CreatedAt = DateTimeOffset.UnixEpoch, CompletedAt = DateTimeOffset.UnixEpoch };

    private static ValueTask<List<string>> QueryAsync(BackgroundTaskManager manager, TaskQuery query) =>
        manager.QueryAsync(query, cancellationToken: Stop).Select(static task => task.TaskId).ToListAsync(Stop);

    /// <summary>The same but for its last character.</summary>
    private static string Twin(string id) => id[..^1] + (char)(id[^1] ^ 1);

    /// <summary>Ids of several lengths, the longest among them and those about where a store may change how it looks them up.</summary>
    private IEnumerable<(string Id, string Twin)> Pairs()
    {
        foreach (var bytes in new[] { 40, 1024, 1025, MaxIdBytes })
        {
            var id = Id(bytes);
            yield return (id, Twin(id));
        }
    }

    private string Id() => Id(MaxIdBytes);

    /// <summary>A text of so many bytes that cannot be made shorter.</summary>
    private string Id(int bytes)
    {
        var runes = Letters.EnumerateRunes().ToArray();
        var id = new StringBuilder();
        for (var left = bytes - 1; left > 0;)
        {
            var rune = runes[_random.Next(runes.Length)];
            if (rune.Utf8SequenceLength <= left)
            {
                id.Append(rune);
                left -= rune.Utf8SequenceLength;
            }
        }

        return id.Append((char)('b' + _random.Next(20))).ToString();
    }
}
