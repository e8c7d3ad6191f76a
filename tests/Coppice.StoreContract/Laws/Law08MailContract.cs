namespace Coppice.StoreContract;

/// <summary>Law 8: mail, its order and its readers. Who is woken is in <see cref="Law08UnreadMailContract{TStore}"/>.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class Law08MailContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    [Fact]
    public async Task A_terminal_event_is_there_as_soon_as_its_task_has_ended()
    {
        var manager = await StartAsync();
        await using var inbox = await manager.OpenInboxAsync("t1", Stop);
        for (var round = 0; round < 50; round++)
        {
            var id = await manager.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within();
            await manager.WaitAsync(id, Stop).Within();

            Assert.Equal(id, Assert.IsType<TaskCompleted>(Assert.Single(await inbox.EventsAsync())).TaskId);
        }
    }

    [Fact]
    public async Task A_watcher_finds_the_mail_of_an_end_that_it_is_told_of()
    {
        var manager = await StartAsync();
        await using var inbox = await manager.OpenInboxAsync("t1", Stop);
        await using var changes = manager.WatchAsync(null, Stop).GetAsyncEnumerator(Stop);
        var next = changes.MoveNextAsync();
        await manager.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within();
        while (await next.AsTask().Within() && changes.Current.Kind != TaskChangeKind.Ended)
        {
            next = changes.MoveNextAsync();
        }

        Assert.IsType<TaskCompleted>(Assert.Single(await inbox.EventsAsync()));
    }

    [Fact]
    public async Task Every_kind_of_end_has_exactly_one_event_after_all_that_the_task_emitted()
    {
        var manager = await StartAsync();
        var ids = new List<string>();
        foreach (var state in new[] { TaskState.Completed, TaskState.Failed, TaskState.Cancelled })
        {
            ids.Add(await manager.SpawnAsync("t1", context =>
            {
                for (var i = 0; i < 100; i++)
                {
                    Assert.True(context.Emit("progress", i));
                }

                return Bodies.As(state);
            }, cancellationToken: Stop).Within());
        }

        await ids.Select(id => manager.WaitAsync(id, Stop)).AllWithin();
        await using var inbox = await manager.OpenInboxAsync("t1", Stop);
        var events = (await inbox.EventsAsync()).Cast<TaskEvent>().ToList();

        foreach (var id in ids)
        {
            var own = events.Where(mail => mail.TaskId == id).ToList();
            Assert.Equal(Enumerable.Range(0, 100), own.SkipLast(1).Select(Mailbag.Number));
            Assert.True(own[^1].IsTerminal);
        }

        Assert.Equal([typeof(TaskCompleted), typeof(TaskFailed), typeof(TaskCancelled)], ids.Select(id => events.Last(mail => mail.TaskId == id).GetType()));
        Assert.Equal(303, events.Count);
    }

    [Fact]
    public async Task Sequences_count_from_one_without_gaps_and_never_show_what_is_later_first()
    {
        var manager = await StartAsync();
        await using var inbox = await manager.OpenInboxAsync("t1", Stop);
        for (var i = 0; i < 20; i++)
        {
            await manager.SpawnAsync("t1", async context =>
            {
                for (var n = 0; n < 10; n++)
                {
                    context.Emit("progress", n);
                    await Task.Yield();
                }

                return TaskOutcome.Success("done");
            }, cancellationToken: Stop).Within();
        }

        var mail = await inbox.ReadAsync(220);
        Assert.True(Fixture.IdsMayHaveGaps || mail.Select(static item => item.Sequence).SequenceEqual(Enumerable.Range(1, 220).Select(static n => (long)n)));
        Assert.Equal(mail.Select(static item => item.Sequence).Order(), mail.Select(static item => item.Sequence));
        foreach (var own in mail.Select(static item => (TaskEvent)item.Event).GroupBy(static mail => mail.TaskId))
        {
            Assert.Equal(Enumerable.Range(0, 10), own.SkipLast(1).Select(Mailbag.Number));
            Assert.IsType<TaskCompleted>(own.Last());
        }
    }

    [Fact]
    public async Task Emitting_does_not_wait_for_the_store()
    {
        var store = new FaultyStore(Store);
        var manager = await StartAsync(store: store);
        var emitted = new Signal();
        var finish = new Signal();
        var hold = store.Hold<PostEvents>(FaultMoment.BeforeCommit);
        var id = await manager.SpawnAsync("t1", async context =>
        {
            for (var i = 0; i < 1_000; i++)
            {
                Assert.True(context.Emit("progress", i));
            }

            emitted.Set();
            await finish.Task;
            return TaskOutcome.Success("done");
        }, cancellationToken: Stop).Within();

        await emitted.WaitAsync();
        await hold.Reached.WaitAsync();
        finish.Set();
        hold.Release();
        await manager.WaitAsync(id, Stop).Within();

        await using var inbox = await manager.OpenInboxAsync("t1", Stop);
        Assert.Equal(Enumerable.Range(0, 1_000), (await inbox.EventsAsync()).OfType<CustomTaskEvent>().Select(Mailbag.Number));
    }

    [Fact]
    public async Task The_end_of_the_body_seals_the_queue()
    {
        var manager = await StartAsync();
        var kept = new TaskCompletionSource<TaskContext>();
        var id = await manager.SpawnAsync("t1", context =>
        {
            kept.SetResult(context);
            Assert.True(context.Emit("progress", 0));
            return Task.FromResult(TaskOutcome.Success("done"));
        }, cancellationToken: Stop).Within();
        await manager.WaitAsync(id, Stop).Within();
        var late = await kept.Task.Within();

        Assert.False(late.Emit("progress", 1));
        Assert.False(late.Emit("progress", Mailbag.Json("2")));
        await using var inbox = await manager.OpenInboxAsync("t1", Stop);
        Assert.Equal(2, (await inbox.EventsAsync()).Count);
    }

    [Fact]
    public async Task The_queue_is_sealed_before_the_end_is_stored()
    {
        var store = new FaultyStore(Store);
        var manager = await StartAsync(store: store);
        var kept = new TaskCompletionSource<TaskContext>();
        var hold = store.Hold<FinishTask>(FaultMoment.BeforeCommit);
        var id = await manager.SpawnAsync("t1", context =>
        {
            kept.SetResult(context);
            Assert.True(context.Emit("progress", 0));
            return Task.FromResult(TaskOutcome.Success("done"));
        }, cancellationToken: Stop).Within();
        await hold.Reached.WaitAsync();

        Assert.False((await kept.Task.Within()).Emit("progress", 1));
        hold.Release();

        await manager.WaitAsync(id, Stop).Within();
        await using var inbox = await manager.OpenInboxAsync("t1", Stop);
        Assert.Equal(2, (await inbox.EventsAsync()).Count);
    }

    [Fact]
    public async Task Emitting_while_the_body_ends_is_taken_before_the_end_or_not_at_all()
    {
        var manager = await StartAsync();
        await using var inbox = await manager.OpenInboxAsync("t1", Stop);
        for (var round = 0; round < 100; round++)
        {
            var left = new TaskCompletionSource<Task<int>>();
            var id = await manager.SpawnAsync("t1", context =>
            {
                left.SetResult(Task.Run(() =>
                {
                    var accepted = 0;
                    while (accepted < 500 && context.Emit("progress", accepted))
                    {
                        accepted++;
                    }

                    return accepted;
                }, Stop));
                return Task.FromResult(TaskOutcome.Success("done"));
            }, cancellationToken: Stop).Within();
            var accepted = await (await left.Task.Within()).Within();
            await manager.WaitAsync(id, Stop).Within();

            var events = await inbox.EventsAsync();
            Assert.Equal(Enumerable.Range(0, accepted), events.SkipLast(1).Select(Mailbag.Number));
            Assert.IsType<TaskCompleted>(events[^1]);
        }
    }

    [Fact]
    public async Task Events_survive_a_store_that_fails_for_a_while_in_order_and_each_once()
    {
        var store = new FaultyStore(Store);
        var manager = await StartAsync(store: store);
        await using var inbox = await manager.OpenInboxAsync("t1", Stop);
        store.Fail<PostEvents>(FaultMoment.BeforeCommit, times: 2);
        store.Fail<PostEvents>(FaultMoment.AfterCommit, times: 1);
        store.Fail<PostEvents>(FaultMoment.AfterCommitUnseen, times: 1);
        var finish = new Signal();
        await manager.SpawnAsync("t1", async context =>
        {
            for (var i = 0; i < 50; i++)
            {
                Assert.True(context.Emit("progress", i));
                await Task.Yield();
            }

            await finish.Task;
            Assert.True(context.Emit("progress", 50));
            return TaskOutcome.Success("done");
        }, cancellationToken: Stop).Within();

        Assert.Equal(Enumerable.Range(0, 50), (await inbox.ReadAsync(50)).Select(static item => Mailbag.Number(item.Event)));
        finish.Set();
        var rest = await inbox.ReadAsync(2);
        Assert.Equal(50, Mailbag.Number(rest[0].Event));
        Assert.IsType<TaskCompleted>(rest[1].Event);
    }

    [Fact]
    public async Task What_a_crash_loses_is_a_tail()
    {
        var store = new FaultyStore(Store);
        var first = await StartAsync(static options => options.ShutdownGracePeriod = TimeSpan.Zero, store);
        var emitted = new TaskCompletionSource<Fault>();
        var id = await first.SpawnAsync("t1", async context =>
        {
            for (var i = 0; i < 200; i++)
            {
                context.Emit("progress", i);
                await Task.Yield();
            }

            var held = store.Hold<PostEvents>(FaultMoment.BeforeCommit);
            for (var i = 200; i < 300; i++)
            {
                context.Emit("progress", i);
            }

            emitted.SetResult(held);
            await new Signal().Task;
            return TaskOutcome.Success("never");
        }, cancellationToken: Stop).Within();
        var hold = await emitted.Task.Within();
        await ReopenAsync();

        var reader = await JoinAsync("reader");
        var numbers = (await Store.ReadAllAsync(reader, "t1")).Select(static item => item.Event).OfType<CustomTaskEvent>().Select(Mailbag.Number).ToList();
        Assert.Equal(Enumerable.Range(0, numbers.Count), numbers);
        Assert.NotNull(await Store.GetAsync(id, Stop));
        hold.Release(new TaskStoreException("The process has ended.", isTransient: false) { IsKnownNotCommitted = true });
    }

    [Fact]
    public async Task What_was_read_but_not_acknowledged_comes_again_also_after_the_end_of_the_process()
    {
        var first = await StartAsync();
        for (var i = 0; i < 3; i++)
        {
            await first.WaitAsync(await first.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within(), Stop).Within();
        }

        var inbox = await first.OpenInboxAsync("t1", Stop);
        var read = await inbox.DrainAsync(Stop);
        Assert.Empty(await inbox.DrainAsync(Stop));
        await inbox.AckAsync(read[0].Sequence, Stop).AsTask().Within();
        await inbox.DisposeAsync();

        await using (var again = await first.OpenInboxAsync("t1", Stop))
        {
            Assert.Equal(read.Skip(1), await again.DrainAsync(Stop));
        }

        await first.DisposeAsync();
        await ReopenAsync();
        var second = await StartAsync();
        await using var reopened = await second.OpenInboxAsync("t1", Stop);
        Assert.Equal(read.Skip(1), await reopened.DrainAsync(Stop));
        await reopened.AckAsync(long.MaxValue, Stop).AsTask().Within();
        await using var last = await second.OpenInboxAsync("t1", Stop);
        Assert.Empty(await last.DrainAsync(Stop));
    }

    [Fact]
    public async Task Reading_waits_for_the_next_and_can_be_given_up_without_losing_anything()
    {
        var manager = await StartAsync();
        await using var inbox = await manager.OpenInboxAsync("t1", Stop);
        Assert.Equal("t1", inbox.ThreadId);
        using var source = new CancellationTokenSource();
        var givenUp = inbox.ReadAsync(source.Token).AsTask();
        Assert.False(givenUp.IsCompleted);
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => givenUp.Within());

        var next = inbox.ReadAsync(Stop).AsTask();
        var id = await manager.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within();

        Assert.Equal(new InboxItem(1, new TaskCompleted(id, Mailbag.Json("\"done\""))), await next.Within());
    }

    [Fact]
    public async Task Reading_all_goes_on_until_it_is_given_up()
    {
        var manager = await StartAsync();
        await using var inbox = await manager.OpenInboxAsync("t1", Stop);
        using var source = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var read = 0;
        var reading = Task.Run(async () =>
        {
            await foreach (var item in inbox.ReadAllAsync(source.Token))
            {
                Assert.Equal(++read, item.Sequence);
                if (read == 20)
                {
                    await source.CancelAsync();
                }
            }
        }, Stop);
        for (var i = 0; i < 20; i++)
        {
            await manager.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within();
        }

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading.Within());
        Assert.Equal(20, read);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Opening_an_inbox_that_is_open_takes_it_over(bool elsewhere)
    {
        var manager = await StartAsync();
        var other = elsewhere ? await StartAsync() : manager;
        var old = await manager.OpenInboxAsync("t1", Stop);
        var waiting = old.ReadAsync(Stop).AsTask();
        await using var all = old.ReadAllAsync(Stop).GetAsyncEnumerator(Stop);

        await using var taken = await other.OpenInboxAsync("t1", Stop);

        var thrown = await Assert.ThrowsAsync<InboxTakenOverException>(() => waiting.Within());
        Assert.Equal(("t1", "inbox_taken_over"), (thrown.ThreadId, thrown.Code));
        await Assert.ThrowsAsync<InboxTakenOverException>(() => old.ReadAsync(Stop).Within());
        await Assert.ThrowsAsync<InboxTakenOverException>(() => old.DrainAsync(Stop).Within());
        await Assert.ThrowsAsync<InboxTakenOverException>(() => all.MoveNextAsync().Within());
        await Assert.ThrowsAsync<InboxTakenOverException>(() => old.AckAsync(1, Stop).Within());
        await old.DisposeAsync().Within();
        var id = await manager.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within();
        var item = await taken.ReadAsync(Stop).Within();
        Assert.Equal(id, ((TaskEvent)item.Event).TaskId);
        await taken.AckAsync(item.Sequence, Stop).AsTask().Within();
    }

    [Fact]
    public async Task An_inbox_that_is_taken_over_while_it_is_read_loses_and_doubles_no_acknowledged_mail()
    {
        var managers = new[] { await StartAsync(), await StartAsync() };
        const int Total = 150;
        var done = new System.Collections.Concurrent.ConcurrentDictionary<long, int>();
        var finished = new Countdown(Total);
        using var source = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var progress = new Signal();
        var readers = Enumerable.Range(0, 3).Select(reader => Task.Run(async () =>
        {
            while (finished.Count < Total)
            {
                await using var inbox = await managers[reader % 2].OpenInboxAsync("t1", source.Token);
                try
                {
                    for (var i = 0; i < 10; i++)
                    {
                        var item = await inbox.ReadAsync(source.Token);
                        await inbox.AckAsync(item.Sequence, source.Token);

                        // Only a reader that has the mailbox can acknowledge, and what was acknowledged never comes again.
                        Assert.Equal(1, done.AddOrUpdate(item.Sequence, 1, static (_, n) => n + 1));
                        finished.Add();
                        Interlocked.Exchange(ref progress, new Signal()).Set();
                    }
                }
                catch (InboxTakenOverException)
                {
                    // Readers that took the mailbox back at once might take it from each other for ever.
                    await Volatile.Read(ref progress).Task.WaitAsync(source.Token);
                }
            }
        }, Stop)).ToList();
        for (var i = 0; i < Total; i++)
        {
            await managers[i % 2].SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within();
        }

        await await Task.WhenAny(finished.WaitAsync(), Task.WhenAll(readers));
        await source.CancelAsync();
        try
        {
            await readers.AllWithin();
        }
        catch (OperationCanceledException)
        {
            // It is how the last readers, who wait for mail that does not come, are told to end.
        }

        await using var rest = await managers[0].OpenInboxAsync("t1", Stop);
        Assert.Empty(await rest.DrainAsync(Stop));
        Assert.Equal(Total, done.Count);
    }

    [Fact]
    public async Task Of_inboxes_that_are_opened_at_the_same_time_one_has_the_mail()
    {
        var manager = await StartAsync();
        for (var round = 0; round < 20; round++)
        {
            var inboxes = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => manager.OpenInboxAsync("t1", Stop).AsTask(), Stop)));
            await manager.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within();

            var read = inboxes.Select(static inbox => inbox.ReadAsync(Stop).AsTask()).ToList();
            var first = await Assert.Single(await WhichReadAsync(read)).Within();

            await inboxes[read.FindIndex(static task => task.IsCompletedSuccessfully)].AckAsync(first.Sequence, Stop);
            foreach (var inbox in inboxes)
            {
                await inbox.DisposeAsync();
            }
        }
    }

    [Fact]
    public async Task A_disposed_inbox_is_closed_and_disposing_it_again_does_nothing()
    {
        var manager = await StartAsync();
        var inbox = await manager.OpenInboxAsync("t1", Stop);
        var waiting = inbox.ReadAsync(Stop).AsTask();
        await inbox.DisposeAsync().Within();
        await inbox.DisposeAsync().Within();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting.Within());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => inbox.ReadAsync(Stop).Within());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => inbox.DrainAsync(Stop).Within());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => inbox.AckAsync(1, Stop).Within());
    }

    [Fact]
    public async Task Mail_never_reaches_another_thread()
    {
        var manager = await StartAsync();
        await using var a = await manager.OpenInboxAsync("a", Stop);
        await using var b = await manager.OpenInboxAsync("b", Stop);
        var ids = new Dictionary<string, string>();
        foreach (var thread in new[] { "a", "b" })
        {
            ids[thread] = await manager.SpawnAsync(thread, context =>
            {
                context.Emit("progress", thread);
                return Task.FromResult(TaskOutcome.Success(thread));
            }, new SpawnOptions { Name = "worker" }, Stop).Within();
        }

        foreach (var (inbox, thread) in new[] { (a, "a"), (b, "b") })
        {
            var mail = await inbox.ReadAsync(2);
            Assert.All(mail, item => Assert.Equal(ids[thread], ((TaskEvent)item.Event).TaskId));
            Assert.Empty(await inbox.DrainAsync(Stop));
        }
    }

    [Fact]
    public async Task Restored_ended_tasks_post_no_mail()
    {
        var manager = await StartAsync();
        await using var inbox = await manager.OpenInboxAsync("t1", Stop);
        await manager.RestoreAsync("t1", [new TaskSnapshot { TaskId = "bg_3", State = TaskState.Failed, Error = "boom", CreatedAt = DateTimeOffset.UnixEpoch }], Stop).Within();

        Assert.Empty(await inbox.DrainAsync(Stop));
    }

    /// <summary>Those of some reads that are not told that their inbox was taken over; all have ended.</summary>
    private static async Task<List<Task<InboxItem>>> WhichReadAsync(List<Task<InboxItem>> reads)
    {
        var read = new List<Task<InboxItem>>();
        foreach (var task in reads)
        {
            try
            {
                await task.Within();
                read.Add(task);
            }
            catch (InboxTakenOverException)
            {
                // Another has it.
            }
        }

        return read;
    }
}
