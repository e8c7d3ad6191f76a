using System.Collections.Concurrent;

namespace Coppice.StoreContract;

/// <summary>Law 8: who is told of mail that nobody reads, and when.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class Law08UnreadMailContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    [Fact]
    public async Task A_thread_is_told_of_when_a_terminal_event_arrives_and_no_inbox_is_open()
    {
        var calls = new Calls();
        var manager = await StartAsync(calls.Listen);

        await manager.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within();

        Assert.Equal("t1", await calls.NextAsync());
    }

    [Fact]
    public async Task It_is_not_called_for_custom_events_nor_while_an_inbox_is_open()
    {
        var calls = new Calls();
        var manager = await StartAsync(calls.Listen);
        await using var inbox = await manager.OpenInboxAsync("read", Stop);
        var emitting = await manager.SpawnAsync("emitting", async context =>
        {
            context.Emit("progress", 1);
            await context.WhenCancelledAsync();
            return TaskOutcome.Cancelled;
        }, cancellationToken: Stop).Within();
        await using (var events = await manager.OpenInboxAsync("emitting", Stop))
        {
            await events.ReadAsync(1);
        }

        await manager.SpawnAsync("read", Bodies.Done, cancellationToken: Stop).Within();
        await inbox.ReadAsync(1);
        await manager.SpawnAsync("other", Bodies.Done, cancellationToken: Stop).Within();

        Assert.Equal("other", await calls.NextAsync());
        Assert.DoesNotContain("emitting", calls.All);
        Assert.DoesNotContain("read", calls.All);
        Assert.True(await manager.CancelAsync(emitting, Stop).Within());
        Assert.Equal("emitting", await calls.NextAsync(static thread => thread == "emitting"));
    }

    [Fact]
    public async Task It_is_called_when_an_inbox_closes_over_mail_that_was_not_read()
    {
        var calls = new Calls();
        var manager = await StartAsync(calls.Listen);
        var inbox = await manager.OpenInboxAsync("t1", Stop);
        await manager.WaitAsync(await manager.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within(), Stop).Within();
        Assert.Empty(calls.All);

        await inbox.DisposeAsync().Within();

        Assert.Equal("t1", await calls.NextAsync());
    }

    [Fact]
    public async Task It_is_not_called_when_an_inbox_closes_over_mail_that_was_read()
    {
        var calls = new Calls();
        var manager = await StartAsync(calls.Listen);
        var inbox = await manager.OpenInboxAsync("t1", Stop);
        await manager.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within();
        await inbox.ReadAsync(1);
        await inbox.DisposeAsync().Within();
        await manager.SpawnAsync("t2", Bodies.Done, cancellationToken: Stop).Within();

        Assert.Equal("t2", await calls.NextAsync());
        Assert.DoesNotContain("t1", calls.All);
    }

    [Fact]
    public async Task At_start_up_it_is_called_for_mail_that_was_not_acknowledged_after_the_start_has_returned()
    {
        var first = await StartAsync();
        foreach (var thread in new[] { "read", "unread", "acknowledged" })
        {
            await first.WaitAsync(await first.SpawnAsync(thread, Bodies.Done, cancellationToken: Stop).Within(), Stop).Within();
        }

        await using (var inbox = await first.OpenInboxAsync("read", Stop))
        {
            await inbox.ReadAsync(1);
        }

        await using (var inbox = await first.OpenInboxAsync("acknowledged", Stop))
        {
            await inbox.AckAsync((await inbox.ReadAsync(1))[0].Sequence, Stop);
        }

        await first.DisposeAsync();
        await ReopenAsync();
        var calls = new Calls();
        await StartAsync(calls.Listen);

        string[] told = [await calls.NextAsync(), await calls.NextAsync()];
        Assert.Equal(["read", "unread"], told.Order());
        Assert.DoesNotContain("acknowledged", calls.All);
    }

    [Fact]
    public async Task It_is_never_called_before_the_start_has_returned()
    {
        var others = new Calls();
        var other = await StartAsync(others.Listen);
        var store = new FaultyStore(Store);
        var calls = new Calls();
        var options = new BackgroundTaskOptions();
        calls.Listen(options);
        var hold = store.Hold<JoinHost>(FaultMoment.AfterCommit);

        var start = BackgroundTaskManager.StartAsync(store, options, Stop).AsTask();
        await hold.Reached.WaitAsync();
        for (var i = 0; i < 10; i++)
        {
            await other.SpawnAsync($"t{i}", Bodies.Done, cancellationToken: Stop).Within();
            await others.NextAsync();
        }

        Assert.Empty(calls.All);
        hold.Release();
        DisposeLater(await start.Within());

        var told = new HashSet<string>();
        while (told.Count < 10)
        {
            told.Add(await calls.NextAsync());
        }
    }

    [Fact]
    public async Task It_is_called_with_a_manager_that_can_be_used()
    {
        var first = await StartAsync();
        await first.WaitAsync(await first.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within(), Stop).Within();
        await first.DisposeAsync();
        var holder = new TaskCompletionSource<BackgroundTaskManager>();
        var read = new TaskCompletionSource<int>();
        var second = await StartAsync(options => options.OnUnreadMail = async (thread, token) =>
        {
            var manager = await holder.Task.WaitAsync(token);
            await using var inbox = await manager.OpenInboxAsync(thread, token);
            var mail = await inbox.DrainAsync(token);
            await inbox.AckAsync(mail[^1].Sequence, token);
            read.TrySetResult(mail.Count);
        });
        holder.SetResult(second);

        Assert.Equal(1, await read.Task.Within());
    }

    [Fact]
    public async Task One_call_at_a_time_is_made_for_a_thread_and_none_of_its_mail_is_forgotten()
    {
        var concurrent = 0;
        var overlaps = 0;
        var release = new Signal();
        var entered = new Signal();
        var calls = new Calls();
        var manager = await StartAsync(options => options.OnUnreadMail = async (thread, token) =>
        {
            overlaps += Interlocked.Increment(ref concurrent) > 1 ? 1 : 0;
            entered.Set();
            await release.Task.WaitAsync(token);
            Interlocked.Decrement(ref concurrent);
            await calls.AddAsync(thread, token);
        });
        await manager.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within();
        await entered.WaitAsync();
        for (var i = 0; i < 10; i++)
        {
            await manager.WaitAsync(await manager.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within(), Stop).Within();
        }

        release.Set();

        // One for the first piece of mail, and at least one more that was asked for while it ran.
        Assert.Equal("t1", await calls.NextAsync());
        Assert.Equal("t1", await calls.NextAsync());
        Assert.Equal(0, overlaps);
    }

    [Fact]
    public async Task A_thread_whose_call_takes_long_holds_up_no_other()
    {
        var calls = new Calls();
        var manager = await StartAsync(options => options.OnUnreadMail = async (thread, token) =>
        {
            if (thread == "slow")
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token);
            }

            await calls.AddAsync(thread, token);
        });
        await manager.SpawnAsync("slow", Bodies.Done, cancellationToken: Stop).Within();
        await manager.SpawnAsync("quick", Bodies.Done, cancellationToken: Stop).Within();

        Assert.Equal("quick", await calls.NextAsync());
    }

    [Fact]
    public async Task A_call_that_throws_harms_nobody()
    {
        var calls = new Calls();
        var manager = await StartAsync(options => options.OnUnreadMail = (thread, token) =>
            thread == "bad" ? throw new InvalidOperationException("The callback failed.") : calls.AddAsync(thread, token));
        await manager.SpawnAsync("bad", Bodies.Done, cancellationToken: Stop).Within();
        await manager.SpawnAsync("bad", Bodies.Done, cancellationToken: Stop).Within();
        await manager.SpawnAsync("good", Bodies.Done, cancellationToken: Stop).Within();

        Assert.Equal("good", await calls.NextAsync());
    }

    [Fact]
    public async Task Dead_letters_wake_nobody()
    {
        var calls = new Calls();
        var manager = await StartAsync(calls.Listen);
        var thread = new TaskCompletionSource<string>();
        var finish = new Signal();
        var agent = await manager.SpawnAgentAsync("owner", async context =>
        {
            thread.SetResult(context.ThreadId);
            await finish.Task;
            return TaskOutcome.Success("done");
        }, cancellationToken: Stop).Within();
        await manager.SendAsync(agent, new MessageSender("owner", "planner"), "look", Stop).Within();
        finish.Set();
        await manager.WaitAsync(agent, Stop).Within();
        Assert.Equal("owner", await calls.NextAsync());
        await manager.SpawnAsync("other", Bodies.Done, cancellationToken: Stop).Within();

        Assert.Equal("other", await calls.NextAsync(static name => name == "other"));
        Assert.DoesNotContain(await thread.Task.Within(), calls.All);
        Assert.Single(await manager.ListDeadLettersAsync(await thread.Task, Stop));
    }

    [Fact]
    public async Task Restored_orphans_wake_their_owner_and_restored_ended_tasks_do_not()
    {
        var calls = new Calls();
        var manager = await StartAsync(calls.Listen);
        TaskSnapshot Task(string id, TaskState state) => new() { TaskId = id, State = state, CreatedAt = DateTimeOffset.UnixEpoch };
        await manager.RestoreAsync("ended", [Task("bg_1", TaskState.Completed)], Stop).Within();
        await manager.RestoreAsync("orphaned", [Task("bg_2", TaskState.Running)], Stop).Within();

        Assert.Equal("orphaned", await calls.NextAsync());
        Assert.DoesNotContain("ended", calls.All);
    }

    [Fact]
    public async Task Its_token_is_cancelled_when_the_dispose_begins()
    {
        var entered = new Signal();
        var cancelled = new Signal();
        var manager = await StartAsync(options => options.OnUnreadMail = async (_, token) =>
        {
            entered.Set();
            try
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token);
            }
            finally
            {
                cancelled.Set();
            }
        });
        var finish = new Signal();
        await manager.SpawnAsync("t2", Bodies.Only(finish), cancellationToken: Stop).Within();
        await manager.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within();
        await entered.WaitAsync();

        var disposing = manager.DisposeAsync().AsTask();
        await cancelled.WaitAsync();
        Assert.False(disposing.IsCompleted);
        finish.Set();
        await disposing.Within();
    }

    private sealed class Calls
    {
        private readonly System.Threading.Channels.Channel<string> _calls = System.Threading.Channels.Channel.CreateUnbounded<string>();
        private readonly ConcurrentQueue<string> _all = new();

        public IEnumerable<string> All => _all;

        public void Listen(BackgroundTaskOptions options) => options.OnUnreadMail = AddAsync;

        public ValueTask AddAsync(string thread, CancellationToken cancellationToken)
        {
            _all.Enqueue(thread);
            return _calls.Writer.WriteAsync(thread, cancellationToken);
        }

        public async Task<string> NextAsync(Func<string, bool>? which = null)
        {
            while (true)
            {
                var thread = await _calls.Reader.ReadAsync(Stop).Within();
                if (which is null || which(thread))
                {
                    return thread;
                }
            }
        }
    }
}
