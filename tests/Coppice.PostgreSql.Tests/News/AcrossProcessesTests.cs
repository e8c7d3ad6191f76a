using Coppice.StoreContract;

namespace Coppice.PostgreSql.Tests.News;

/// <summary>What one process does and another has to hear of, by news, and where the news is lost, by looking.</summary>
public sealed class AcrossProcessesTests : NewsTest
{
    private static readonly MessageSender Owner = new("t1", "planner");

    [Theory]
    [InlineData(Way.News)]
    [InlineData(Way.Look)]
    public async Task A_cancel_reaches_a_body_in_another_process(Way way)
    {
        var (here, there) = (await StartAsync(way), await StartAsync(way));
        var id = await there.SpawnAsync("t1", Bodies.Park, cancellationToken: Stop).Within();

        Assert.True(await here.CancelAsync(id, Stop).Within());

        Assert.Equal(TaskState.Cancelled, (await there.WaitAsync(id, Stop).Within()).State);
    }

    [Theory]
    [InlineData(Way.News)]
    [InlineData(Way.Look)]
    public async Task A_cancel_of_a_tree_a_run_and_a_thread_reaches_bodies_in_other_processes(Way way)
    {
        BackgroundTaskManager[] processes = [await StartAsync(way), await StartAsync(way), await StartAsync(way)];
        var root = await processes[1].SpawnAsync("t1", Bodies.Park, cancellationToken: Stop).Within();
        var child = await processes[2].SpawnAsync("t2", Bodies.Park, Under(root), Stop).Within();
        var ofRun = await processes[2].SpawnAsync("t3", Bodies.Park, new() { Lineage = new() { RunId = "r1" } }, Stop).Within();
        var ofThread = await processes[1].SpawnAsync("t4", Bodies.Park, cancellationToken: Stop).Within();

        Assert.Equal(2, await processes[0].CancelTreeAsync(root, Stop).Within());
        Assert.Equal(1, await processes[0].CancelRunAsync("r1", Stop).Within());
        Assert.Equal(1, await processes[0].CancelThreadAsync("t4", Stop).Within());

        foreach (var (process, id) in new[] { (1, root), (2, child), (2, ofRun), (1, ofThread) })
        {
            Assert.Equal(TaskState.Cancelled, (await processes[process].WaitAsync(id, Stop).Within()).State);
        }
    }

    [Theory]
    [InlineData(Way.News)]
    [InlineData(Way.Look)]
    public async Task Whoever_waits_for_a_task_hears_of_its_end_in_another_process(Way way)
    {
        var (here, there) = (await StartAsync(way), await StartAsync(way));
        var end = new Signal();
        var id = await there.SpawnAsync("t1", Bodies.Until(end), cancellationToken: Stop).Within();
        var waiting = here.WaitAsync(id, Stop);
        Assert.False(waiting.IsCompleted);

        end.Set();

        Assert.Equal(TaskState.Completed, (await waiting.Within()).State);
    }

    [Theory]
    [InlineData(Way.News)]
    [InlineData(Way.Look)]
    public async Task A_message_wakes_an_agent_in_another_process(Way way)
    {
        var (here, there) = (await StartAsync(way), await StartAsync(way));
        var got = new TaskCompletionSource<MailEvent>(TaskCreationOptions.RunContinuationsAsynchronously);
        var id = await there.SpawnAgentAsync(
            "t1",
            async context =>
            {
                got.SetResult((await context.Inbox.ReadAsync(context.CancellationToken)).Event);
                return TaskOutcome.Success("done");
            },
            cancellationToken: Stop).Within();

        Assert.Equal(SendResult.Delivered, (await here.SendAsync(id, Owner, "hello", Stop).Within()).Result);

        Assert.Equal(AgentMessage.Create(id, "planner", "hello"), await got.Task.Within());
    }

    [Theory]
    [InlineData(Way.News)]
    [InlineData(Way.Look)]
    public async Task Mail_wakes_a_reader_in_another_process(Way way)
    {
        var (here, there) = (await StartAsync(way), await StartAsync(way));
        await using var inbox = await there.OpenInboxAsync("t1", Stop).Within();
        var reading = inbox.ReadAsync(Stop).AsTask();
        Assert.False(reading.IsCompleted);

        var id = await here.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within();

        Assert.Equal(id, Assert.IsType<TaskCompleted>((await reading.Within()).Event).TaskId);
    }

    [Theory]
    [InlineData(Way.News)]
    [InlineData(Way.Look)]
    public async Task An_inbox_that_is_opened_in_another_process_takes_the_mailbox_over(Way way)
    {
        var (here, there) = (await StartAsync(way), await StartAsync(way));
        await using var old = await there.OpenInboxAsync("t1", Stop).Within();
        var reading = old.ReadAsync(Stop).AsTask();

        await using var young = await here.OpenInboxAsync("t1", Stop).Within();

        await Assert.ThrowsAsync<InboxTakenOverException>(() => reading.Within());
        await using var youngest = await there.OpenInboxAsync("t1", Stop).Within();
        await Assert.ThrowsAsync<InboxTakenOverException>(() => young.ReadAsync(Stop).AsTask().Within());
        var id = await here.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within();
        Assert.Equal(id, Assert.IsType<TaskCompleted>((await youngest.ReadAsync(Stop).AsTask().Within()).Event).TaskId);
    }

    [Theory]
    [InlineData(Way.News)]
    [InlineData(Way.Look)]
    public async Task A_reader_learns_that_it_was_taken_over_also_when_the_other_has_closed_the_mailbox_again(Way way)
    {
        var (here, there) = (await StartAsync(way), await StartAsync(way));
        await using var old = await there.OpenInboxAsync("t1", Stop).Within();
        var reading = old.ReadAsync(Stop).AsTask();

        await (await here.OpenInboxAsync("t1", Stop).Within()).DisposeAsync();

        await Assert.ThrowsAsync<InboxTakenOverException>(() => reading.Within());
    }

    [Theory]
    [InlineData(Way.News)]
    [InlineData(Way.Look)]
    public async Task Work_is_claimed_by_a_process_that_knows_its_kind(Way way)
    {
        var kind = new TaskKind<string, string>("work");
        await StartAsync(way, options => options.Tasks.Add(kind, (input, _) => Task.FromResult($"{input} done")));
        var here = await StartAsync(way);
        var store = await OpenAsync(way);
        var adding = await StoreHost.JoinAsync(store);

        var id = await adding.AddWorkAsync("work", "t1", work => work with { Input = Mailbag.Json("\"it\"") });

        Assert.Equal("it done", (await here.WaitAsync(id, Stop).Within()).Result?.GetString());
    }

    [Fact]
    public async Task A_watch_tells_what_another_process_changes_in_order()
    {
        var (here, there) = (await StartAsync(), await StartAsync());
        var watching = WatchAsync(here, static change => change.Kind == TaskChangeKind.Ended);

        var id = await there.SpawnAsync(
            "t1",
            context =>
            {
                context.Emit("progress", "half of it: \"∎\" 12:3");
                return Task.FromResult(TaskOutcome.Success("done"));
            },
            cancellationToken: Stop).Within();

        var heard = await watching.Within();
        Assert.All(heard, change => Assert.Equal(id, change.Task.TaskId));
        Assert.Equal([TaskChangeKind.Spawned, TaskChangeKind.Emitted, TaskChangeKind.Ended], heard.Select(static change => change.Kind));
        Assert.Equal(heard.OrderBy(static change => change.Revision), heard);
        Assert.Equal("half of it: \"∎\" 12:3", heard[1].Event?.Payload.GetString());
        Assert.Equal(TaskState.Completed, heard[2].Task.State);
    }

    [Fact]
    public async Task What_a_task_emits_elsewhere_is_told_also_where_it_is_large()
    {
        var (here, there) = (await StartAsync(), await StartAsync());
        var watching = WatchAsync(here, static change => change.Kind == TaskChangeKind.Ended);

        await there.SpawnAsync(
            "t1",
            context =>
            {
                context.Emit("progress", "small");
                context.Emit("progress", new string('x', 100_000));
                context.Emit("progress", new string('y', 5_000));
                return Bodies.Done(context);
            },
            cancellationToken: Stop).Within();

        var events = (await watching.Within()).Where(static change => change.Kind == TaskChangeKind.Emitted).Select(static change => change.Event!.Payload.GetString());
        Assert.Equal(["small", new string('x', 100_000), new string('y', 5_000)], events);
    }

    [Fact]
    public async Task A_watch_ends_where_what_a_task_emitted_elsewhere_cannot_be_read_any_more()
    {
        var (here, there) = (await StartAsync(), await StartAsync());
        var id = await there.SpawnAsync("t1", Bodies.Park, cancellationToken: Stop).Within();
        var watching = WatchAsync(here, static _ => false);
        Assert.True(TaskIds.TryParse(id, out var number));
        var page = Assert.Single(NewsText.Write(process: 7, firstNumber: 1, [NewsItem.OfEmitted(1_000_000, number, sequence: 12, json: "")]));

        await Schema.ExecuteAsync($"SELECT pg_notify('{await ChannelAsync()}', '{page}')");

        var error = await Assert.ThrowsAsync<WatchOverrunException>(() => watching.Within());
        Assert.Equal("watch_overrun", error.Code);
    }

    [Fact]
    public async Task Mail_that_nobody_reads_is_told_to_one_of_the_processes_that_handle_it()
    {
        var calls = System.Threading.Channels.Channel.CreateUnbounded<(int Process, string Thread)>();
        for (var i = 0; i < 3; i++)
        {
            var process = i;
            await StartAsync(configure: options => options.OnUnreadMail = (thread, _) => calls.Writer.WriteAsync((process, thread), Stop));
        }

        // Its own process does not handle it.
        var here = await StartAsync();
        var expected = Enumerable.Range(0, 20).Select(static i => $"thread {i}").ToHashSet();
        foreach (var thread in expected)
        {
            await here.SpawnAsync(thread, Bodies.Done, cancellationToken: Stop).Within();
        }

        var heard = new List<(int Process, string Thread)>();
        while (heard.Count < expected.Count)
        {
            heard.Add(await calls.Reader.ReadAsync(Stop).AsTask().Within());
        }

        Assert.Equal(expected, [.. heard.Select(static call => call.Thread)]);
        Assert.True(heard.Select(static call => call.Process).Distinct().Count() > 1, "One process was told of all of it.");
        Assert.False(calls.Reader.TryRead(out var another), $"Another call: {another}.");
    }

    [Fact]
    public async Task Mail_that_nobody_reads_is_told_in_the_process_that_committed_it_where_that_handles_it()
    {
        var calls = System.Threading.Channels.Channel.CreateUnbounded<(int Process, string Thread)>();
        ValueTask Note(int process, string thread) => calls.Writer.WriteAsync((process, thread), Stop);
        var here = await StartAsync(configure: options => options.OnUnreadMail = (thread, _) => Note(1, thread));
        var there = await StartAsync(configure: options => options.OnUnreadMail = (thread, _) => Note(2, thread));

        await here.SpawnAsync("a", Bodies.Done, cancellationToken: Stop).Within();
        Assert.Equal((1, "a"), await calls.Reader.ReadAsync(Stop).AsTask().Within());
        await there.SpawnAsync("b", Bodies.Done, cancellationToken: Stop).Within();
        Assert.Equal((2, "b"), await calls.Reader.ReadAsync(Stop).AsTask().Within());
        Assert.False(calls.Reader.TryRead(out var another), $"Another call: {another}.");
    }

    [Theory]
    [InlineData(Way.News)]
    [InlineData(Way.Look)]
    public async Task A_host_that_was_given_up_learns_of_it_and_its_bodies_are_cancelled(Way way)
    {
        var stopped = new Signal();
        var store = await OpenAsync(way);
        var there = await StartAsync(store, options => options.HostName = "there");
        await there.SpawnAsync(
            "t1",
            async context =>
            {
                await context.WhenCancelledAsync();
                stopped.Set();
                return TaskOutcome.Cancelled;
            },
            cancellationToken: Stop).Within();
        var reaper = await StoreHost.JoinAsync(await OpenAsync(way), "reaper");

        var fence = (await store.HeartbeatAsync(HostFence.None, Stop)).Single(static host => host.Fence.HostId == "there").Fence;
        await reaper.AnswerAsync(new SettleHost(fence));

        await stopped.WaitAsync();
    }

    [Fact]
    public async Task A_process_remembers_the_readers_that_it_let_in_and_no_others()
    {
        var (store, other) = (await OpenAsync(), await OpenAsync());
        var (here, there) = (await StartAsync(store), await StartAsync(other));
        await using (var own = await here.OpenInboxAsync("own", Stop).Within())
        {
            await using var others = await there.OpenInboxAsync("others", Stop).Within();
            await here.SpawnAsync("others", Bodies.Done, cancellationToken: Stop).Within();
            await here.SpawnAsync("own", Bodies.Done, cancellationToken: Stop).Within();
            await others.ReadAsync(Stop).AsTask().Within();

            Assert.Equal("own", Assert.Single(store.News.Readers.All()).ThreadId);
            Assert.Equal("others", Assert.Single(other.News.Readers.All()).ThreadId);
        }

        Assert.Empty(store.News.Readers.All());
    }

    [Fact]
    public async Task Mail_that_nobody_reads_is_told_to_one_process_also_when_the_news_of_it_was_lost()
    {
        var calls = System.Threading.Channels.Channel.CreateUnbounded<(int Process, string Thread)>();
        var store = await OpenAsync();
        var here = await StartAsync(store);
        for (var i = 0; i < 3; i++)
        {
            var process = i;
            await StartAsync(configure: options => options.OnUnreadMail = (thread, _) => calls.Writer.WriteAsync((process, thread), Stop));
        }

        await here.SpawnAsync("first", Bodies.Done, cancellationToken: Stop).Within();
        var first = await calls.Reader.ReadAsync(Stop).AsTask().Within();
        store.News.Sender.Loses = true;
        await here.WaitAsync(await here.SpawnAsync("second", Bodies.Done, cancellationToken: Stop).Within(), Stop).Within();
        await store.News.Sender.IdleAsync().Within();
        store.News.Sender.Loses = false;
        await here.WaitAsync(await here.SpawnAsync("third", Bodies.Done, cancellationToken: Stop).Within(), Stop).Within();

        // What was told before is told again, to the same process.
        var heard = new List<(int Process, string Thread)>();
        while (heard.DistinctBy(static call => call.Thread).Count() < 3)
        {
            heard.Add(await calls.Reader.ReadAsync(Stop).AsTask().Within());
        }

        Assert.Equal(3, heard.Distinct().Count());
        Assert.Contains(first, heard);
    }

    [Fact]
    public async Task When_a_host_leaves_another_is_told_of_mail_that_nobody_reads()
    {
        var calls = System.Threading.Channels.Channel.CreateUnbounded<string>();
        var begun = new Signal();
        var here = await StartAsync();
        var there = await StartAsync(configure: options => options.OnUnreadMail = async (_, stop) =>
        {
            begun.Set();
            await new Signal().Task.WaitAsync(stop);
        });
        await here.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within();
        await begun.WaitAsync();
        await StartAsync(configure: options => options.OnUnreadMail = (thread, stop) => calls.Writer.WriteAsync(thread, stop));
        Assert.Equal("t1", await calls.Reader.ReadAsync(Stop).AsTask().Within()); // At its start.

        await there.DisposeAsync().AsTask().Within();

        Assert.Equal("t1", await calls.Reader.ReadAsync(Stop).AsTask().Within());
    }

    private static SpawnOptions Under(string parent) => new() { Lineage = new() { TaskId = parent } };

    private static async Task<List<TaskChange>> WatchAsync(BackgroundTaskManager manager, Func<TaskChange, bool> isLast)
    {
        var changes = new List<TaskChange>();
        await foreach (var change in manager.WatchAsync(null, Stop))
        {
            changes.Add(change);
            if (isLast(change))
            {
                break;
            }
        }

        return changes;
    }
}
