namespace Coppice.StoreContract;

/// <summary>Law 11: messages between threads.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class Law11ThreadMessagesContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    private static readonly MessageSender Planner = new("t0", "planner");

    [Fact]
    public async Task A_message_is_stored_when_it_is_accepted_and_waits_for_a_reader_that_comes_a_week_later()
    {
        var clock = new ManualClock();
        var manager = await StartAsync(options => options.TimeProvider = clock);

        var receipt = await manager.PostAsync("t1", Planner, "please review", new PostOptions { ToAgentId = "reviewer" }, Stop).Within();

        Assert.Equal(PostResult.Accepted, receipt.Result);
        await manager.DisposeAsync().Within();
        await ReopenAsync();
        clock.Advance(TimeSpan.FromDays(7));
        var later = await StartAsync(options => options.TimeProvider = clock);
        await using var inbox = await later.OpenInboxAsync("t1", Stop);
        Assert.Equal(
            [new ThreadMessage(receipt.MessageId, "t0", "planner", "please review") { ToAgentId = "reviewer" }], await inbox.EventsAsync());
    }

    [Fact]
    public async Task An_id_is_a_uuid_of_the_managers_time_and_sorts_by_it()
    {
        var clock = new ManualClock();
        var manager = await StartAsync(options => options.TimeProvider = clock);
        var ids = new List<string>();
        for (var i = 0; i < 20; i++)
        {
            ids.Add((await manager.PostAsync("t1", Planner, "", cancellationToken: Stop).Within()).MessageId);
            clock.Advance(TimeSpan.FromMilliseconds(1));
        }

        Assert.Equal(ids.Order(StringComparer.Ordinal), ids);
        Assert.All(ids, static id => Assert.Equal((7, id), (Guid.Parse(id).Version, Guid.Parse(id).ToString())));
        Assert.Equal(20, ids.Distinct().Count());
        Assert.StartsWith(
            (clock.GetUtcNow().ToUnixTimeMilliseconds() - 20).ToString("x12", System.Globalization.CultureInfo.InvariantCulture),
            ids[0].Replace("-", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_post_that_is_made_again_with_its_id_is_accepted_and_delivered_once()
    {
        var first = await StartAsync();
        var second = await StartAsync();
        var options = new PostOptions { MessageId = "order-7" };

        var receipts = await Enumerable.Range(0, 16).Select(i => Task.Run(
            () => (i % 2 == 0 ? first : second).PostAsync("t1", Planner, "hello", options, Stop).AsTask(), Stop)).AllWithin();

        Assert.All(receipts, static receipt => Assert.Equal(new PostReceipt("order-7", PostResult.Accepted), receipt));
        await using var inbox = await first.OpenInboxAsync("t1", Stop);
        var item = Assert.Single(await inbox.DrainAsync(Stop));
        await inbox.AckAsync(item.Sequence, Stop);
        Assert.Equal(PostResult.Accepted, (await second.PostAsync("t1", Planner, "hello", options, Stop).Within()).Result);
        Assert.Empty(await inbox.DrainAsync(Stop));
    }

    [Theory]
    [InlineData(FaultMoment.AfterCommit)]
    [InlineData(FaultMoment.AfterCommitUnseen)]
    public async Task A_post_whose_answer_was_lost_is_answered_and_delivered_once(FaultMoment moment)
    {
        var faulty = new FaultyStore(Store);
        var manager = await StartAsync(store: faulty);
        faulty.Fail<PostMessage>(moment);

        var receipt = await manager.PostAsync("t1", Planner, "hello", cancellationToken: Stop).Within();

        Assert.Equal(PostResult.Accepted, receipt.Result);
        await using var inbox = await manager.OpenInboxAsync("t1", Stop);
        Assert.Equal([new ThreadMessage(receipt.MessageId, "t0", "planner", "hello")], await inbox.EventsAsync());
    }

    [Fact]
    public async Task A_post_that_failed_can_be_made_again_with_its_id()
    {
        var faulty = new FaultyStore(Store);
        var manager = await StartAsync(store: faulty);
        faulty.Fail<PostMessage>(FaultMoment.BeforeCommit);
        var options = new PostOptions { MessageId = "order-7" };

        await Assert.ThrowsAsync<TaskStoreException>(() => manager.PostAsync("t1", Planner, "hello", options, Stop).AsTask());
        await manager.PostAsync("t1", Planner, "hello", options, Stop).Within();

        await using var inbox = await manager.OpenInboxAsync("t1", Stop);
        Assert.Single(await inbox.EventsAsync());
    }

    [Fact]
    public async Task Messages_of_each_sender_stay_in_order_however_many_send()
    {
        var managers = new[] { await StartAsync(), await StartAsync() };
        await Enumerable.Range(0, 6).Select(sender => Task.Run(async () =>
        {
            for (var i = 0; i < 40; i++)
            {
                var receipt = await managers[(sender + i) % 2].PostAsync("t1", new MessageSender($"s{sender}", ""), $"{i}", cancellationToken: Stop);
                Assert.Equal(PostResult.Accepted, receipt.Result);
            }
        }, Stop)).AllWithin();

        await using var inbox = await managers[0].OpenInboxAsync("t1", Stop);
        var messages = (await inbox.EventsAsync()).Cast<ThreadMessage>().ToLookup(static message => message.FromThreadId, static message => message.Content);
        Assert.Equal(6, messages.Count);
        Assert.All(messages, static sender => Assert.Equal(Enumerable.Range(0, 40).Select(static i => $"{i}"), sender));
    }

    [Fact]
    public async Task A_message_wakes_a_thread_that_nobody_reads()
    {
        var woken = new TaskCompletionSource<string>();
        var manager = await StartAsync(options => options.OnUnreadMail = (threadId, _) =>
        {
            woken.TrySetResult(threadId);
            return ValueTask.CompletedTask;
        });

        await manager.PostAsync("t1", Planner, "hello", cancellationToken: Stop).Within();

        Assert.Equal("t1", await woken.Task.Within());
    }

    [Fact]
    public async Task A_full_mailbox_refuses_and_takes_again_once_it_was_read()
    {
        var manager = await StartAsync(static options => options.MaxUnreadMessages = 2);
        await manager.PostAsync("t1", Planner, "1", cancellationToken: Stop).Within();
        var second = await manager.PostAsync("t1", Planner, "2", cancellationToken: Stop).Within();

        Assert.Equal(new PostReceipt("", PostResult.MailboxFull), await manager.PostAsync("t1", Planner, "3", cancellationToken: Stop).Within());
        Assert.Equal(second, await manager.PostAsync("t1", Planner, "2", new PostOptions { MessageId = second.MessageId }, Stop).Within());
        await using var inbox = await manager.OpenInboxAsync("t1", Stop);
        await inbox.DrainAsync(Stop);
        Assert.Equal(PostResult.Accepted, (await manager.PostAsync("t1", Planner, "3", cancellationToken: Stop).Within()).Result);
    }

    [Fact]
    public async Task What_cannot_be_posted_is_refused_before_anything_is_stored()
    {
        var faulty = new FaultyStore(Store);
        var manager = await StartAsync(static options => options.MaxMessageBytes = 8, faulty);
        var commits = faulty.Commits;

        await ThrowsAsync<ArgumentNullException>(() => manager.PostAsync(null!, Planner, "x").AsTask());
        await ThrowsAsync<ArgumentException>(() => manager.PostAsync("", Planner, "x").AsTask());
        await ThrowsAsync<ArgumentNullException>(() => manager.PostAsync("t1", default, "x").AsTask());
        await ThrowsAsync<ArgumentNullException>(() => manager.PostAsync("t1", new MessageSender("t0", null!), "x").AsTask());
        await ThrowsAsync<ArgumentNullException>(() => manager.PostAsync("t1", Planner, null!).AsTask());
        Assert.Contains("MaxMessageBytes is 8", (await ThrowsAsync<ArgumentException>(() => manager.PostAsync("t1", Planner, "123456789").AsTask())).Message, StringComparison.Ordinal);
        await ThrowsAsync<ArgumentException>(() => manager.PostAsync("t1", Planner, "x", new PostOptions { MessageId = "a\0b" }).AsTask());
        await ThrowsAsync<ArgumentException>(() => manager.PostAsync("t1", Planner, "x", new PostOptions { ToAgentId = "\ud800" }).AsTask());
        await ThrowsAsync<ArgumentException>(() => manager.PostAsync("t1", Planner, "x", new PostOptions { MessageId = new string('m', 257) }).AsTask());
        await ThrowsAsync<ArgumentOutOfRangeException>(() => manager.PostAsync("t1", Planner, "x", new PostOptions { TimeToLive = TimeSpan.Zero }).AsTask());
        await ThrowsAsync<ArgumentNullException>(() => manager.DeliverAsync("t1", null!).AsTask());
        await ThrowsAsync<ArgumentException>(() => manager.DeliverAsync("t1", new ThreadMessage("", "t0", "a", "x")).AsTask());
        await ThrowsAsync<ArgumentException>(() => manager.DeliverAsync("t1", new ThreadMessage("m", "", "a", "x")).AsTask());
        await ThrowsAsync<ArgumentException>(() => manager.DeliverAsync("t1", new ThreadMessage("m", "t0", "a", "123456789")).AsTask());
        await ThrowsAsync<ArgumentException>(() => manager.ListFailedMessagesAsync("").AsTask());
        await ThrowsAsync<ArgumentException>(() => manager.ReplayFailedMessagesAsync("").AsTask());
        await ThrowsAsync<ArgumentException>(() => manager.ClearFailedMessagesAsync("").AsTask());

        Assert.Equal(commits, faulty.Commits);
        await manager.PostAsync("t1", Planner, "a\0\ud800", cancellationToken: Stop).Within();
        await using var inbox = await manager.OpenInboxAsync("t1", Stop);
        Assert.Equal("a\ufffd\ufffd", Assert.IsType<ThreadMessage>(Assert.Single(await inbox.EventsAsync())).Content);
    }

    [Fact]
    public async Task What_comes_from_outside_is_seen_once_by_its_id()
    {
        var manager = await StartAsync();
        var message = new ThreadMessage("m-1", "elsewhere", "planner", "hello") { ToAgentId = "reviewer" };

        Assert.Equal(new PostReceipt("m-1", PostResult.Accepted), await manager.DeliverAsync("t1", message, Stop).Within());
        Assert.Equal(new PostReceipt("m-1", PostResult.Accepted), await manager.DeliverAsync("t1", message, Stop).Within());
        await manager.DeliverAsync("t2", message, Stop).Within();

        await using var inbox = await manager.OpenInboxAsync("t1", Stop);
        Assert.Equal([message], await inbox.EventsAsync());
        await using var other = await manager.OpenInboxAsync("t2", Stop);
        Assert.Equal([message], await other.EventsAsync());
    }

    [Fact]
    public async Task A_message_that_has_expired_is_not_shown_even_before_the_store_has_heard_of_it()
    {
        var clock = new ManualClock();
        var manager = await StartAsync(options =>
        {
            options.TimeProvider = clock;
            options.HostTimeout = TimeSpan.FromDays(1);
            options.MessageTimeToLive = TimeSpan.FromMinutes(1);
        });
        for (var i = 0; i < 3; i++)
        {
            await manager.PostAsync("t1", Planner, $"{i}", cancellationToken: Stop).Within();
        }

        await manager.PostAsync("t1", Planner, "stays", new PostOptions { TimeToLive = TimeSpan.FromDays(2) }, Stop).Within();
        clock.Advance(TimeSpan.FromMinutes(1));

        await using var inbox = await manager.OpenInboxAsync("t1", Stop);
        var item = await inbox.ReadAsync(Stop).Within();
        Assert.Equal("stays", Assert.IsType<ThreadMessage>(item.Event).Content);
        Assert.Empty(await inbox.DrainAsync(Stop));
        Assert.Empty(await manager.ListFailedMessagesAsync("t0", Stop));

        await inbox.AckAsync(item.Sequence, Stop);
        Assert.Equal(["0", "1", "2"], (await manager.ListFailedMessagesAsync("t0", Stop)).Select(static failed => failed.Content));
    }

    [Fact]
    public async Task Expired_messages_fail_with_a_heartbeat_and_can_be_sent_again()
    {
        var clock = new ManualClock();
        var faulty = new FaultyStore(Store);
        var manager = await StartAsync(
            options =>
            {
                options.TimeProvider = clock;
                options.HostTimeout = Cluster.HostTimeout;
            },
            faulty);
        var receipt = await manager.PostAsync("t1", Planner, "hello", new PostOptions { TimeToLive = TimeSpan.FromSeconds(1) }, Stop).Within();
        var hold = faulty.Hold<ExpireMessages>(FaultMoment.AfterCommit);
        await clock.RunUntilAsync(faulty, hold.Reached.Task);
        hold.Release();

        var failed = Assert.Single(await manager.ListFailedMessagesAsync("t0", Stop));
        Assert.Equal((receipt.MessageId, "t1", "hello"), (failed.MessageId, failed.ToThreadId, failed.Content));
        await using var inbox = await manager.OpenInboxAsync("t1", Stop);
        Assert.Empty(await inbox.DrainAsync(Stop));

        Assert.Equal(new ReplayResult(1, 0), await manager.ReplayFailedMessagesAsync("t0", cancellationToken: Stop).Within());
        Assert.Equal([new ThreadMessage(receipt.MessageId, "t0", "planner", "hello")], await inbox.EventsAsync());
        Assert.Equal(new ReplayResult(0, 0), await manager.ReplayFailedMessagesAsync("t0", [failed.Number], Stop).Within());
        Assert.Equal(0, await manager.ClearFailedMessagesAsync("t0", cancellationToken: Stop).Within());
    }

    [Fact]
    public async Task Nothing_is_committed_by_heartbeats_while_nothing_expires()
    {
        var clock = new ManualClock();
        var faulty = new FaultyStore(Store);
        var manager = await StartAsync(
            options =>
            {
                options.TimeProvider = clock;
                options.HostTimeout = Cluster.HostTimeout;
            },
            faulty);
        await manager.PostAsync("t1", Planner, "hello", new PostOptions { TimeToLive = TimeSpan.FromDays(1) }, Stop).Within();
        var commits = faulty.Commits;

        for (var i = 0; i < 5; i++)
        {
            await clock.RunUntilAsync(faulty, faulty.NextHeartbeatAsync());
        }

        Assert.Equal(commits, faulty.Commits);
    }

    [Fact]
    public async Task Everything_about_messages_ends_with_the_manager()
    {
        var manager = await StartAsync();
        await manager.DisposeAsync().Within();

        await ThrowsAsync<ObjectDisposedException>(() => manager.PostAsync("t1", Planner, "x").AsTask());
        await ThrowsAsync<ObjectDisposedException>(() => manager.DeliverAsync("t1", new ThreadMessage("m", "t0", "a", "x")).AsTask());
        await ThrowsAsync<ObjectDisposedException>(() => manager.ListFailedMessagesAsync("t0").AsTask());
        await ThrowsAsync<ObjectDisposedException>(() => manager.ReplayFailedMessagesAsync("t0").AsTask());
        await ThrowsAsync<ObjectDisposedException>(() => manager.ClearFailedMessagesAsync("t0").AsTask());
    }

    private static Task<TException> ThrowsAsync<TException>(Func<Task> call)
        where TException : Exception => Assert.ThrowsAsync<TException>(call);
}
