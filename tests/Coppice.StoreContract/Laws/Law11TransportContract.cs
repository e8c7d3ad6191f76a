namespace Coppice.StoreContract;

/// <summary>Law 11: messages that a transport forwards.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class Law11TransportContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    private static readonly MessageSender Planner = new("t0", "planner");

    [Fact]
    public async Task What_the_transport_carries_goes_there_and_the_rest_into_the_mailbox()
    {
        var transport = new RecordingTransport();
        var manager = await StartWithAsync(transport);

        var remote = await manager.PostAsync("remote-1", Planner, "out", new PostOptions { ToAgentId = "reviewer" }, Stop).Within();
        await manager.PostAsync("t1", Planner, "in", cancellationToken: Stop).Within();

        await transport.UntilAsync(static transport => transport.Sent.Count == 1);
        var sent = Assert.Single(transport.Sent);
        Assert.Equal(
            ("remote-1", 1, new ThreadMessage(remote.MessageId, "t0", "planner", "out") { ToAgentId = "reviewer" }),
            (sent.ToThreadId, sent.Attempt, sent.Message));
        await using var inbox = await manager.OpenInboxAsync("t1", Stop);
        Assert.Equal("in", Assert.IsType<ThreadMessage>(Assert.Single(await inbox.EventsAsync())).Content);
        await using var other = await manager.OpenInboxAsync("remote-1", Stop);
        Assert.Empty(await other.EventsAsync());
    }

    [Fact]
    public async Task An_accepted_message_is_sent_by_the_next_host_that_has_a_transport_and_by_no_other()
    {
        var stuck = new RecordingTransport { OnSend = static (_, token) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token) };
        var manager = await StartWithAsync(stuck);
        var receipt = await manager.PostAsync("remote-1", Planner, "hello", cancellationToken: Stop).Within();
        await stuck.UntilAsync(static transport => transport.Attempts.Count == 1);
        await manager.DisposeAsync().Within();
        await ReopenAsync();

        var without = await StartAsync();
        Assert.Empty(await without.ListFailedMessagesAsync("t0", Stop));
        var transport = new RecordingTransport();
        await StartWithAsync(transport);

        await transport.UntilAsync(static transport => transport.Sent.Count == 1);
        var sent = Assert.Single(transport.Sent);
        Assert.Equal((receipt.MessageId, 1), (sent.Message.MessageId, sent.Attempt));
    }

    [Fact]
    public async Task Each_sender_and_recipient_have_a_lane_of_their_own_that_stays_in_order_also_when_attempts_fail()
    {
        var random = new Random(RandomSeed.Draw());
        var transport = new RecordingTransport
        {
            OnSend = (_, _) =>
            {
                lock (random)
                {
                    return random.Next(3) == 0 ? Task.FromException(new InvalidOperationException("not now")) : Task.CompletedTask;
                }
            },
        };
        var manager = await StartWithAsync(transport, static options =>
        {
            options.FirstMessageRetry = options.LongestMessageRetry = TimeSpan.FromMilliseconds(1);
            options.MaxMessageAttempts = 1000;
            options.MaxMessagesUnderWay = 4;
        });
        for (var i = 0; i < 10; i++)
        {
            for (var lane = 0; lane < 8; lane++)
            {
                await manager.PostAsync($"remote-{lane % 4}", new MessageSender($"s{lane / 4}", ""), $"{i}", cancellationToken: Stop).Within();
            }
        }

        await transport.UntilAsync(static transport => transport.Sent.Count == 80);
        Assert.False(transport.HasMixedLanes);
        Assert.InRange(transport.MostAtOnce, 1, 4);
        Assert.All(
            transport.Sent.GroupBy(static sent => (sent.ToThreadId, sent.Message.FromThreadId)),
            static lane => Assert.Equal(Enumerable.Range(0, 10).Select(static i => $"{i}"), lane.Select(static sent => sent.Message.Content)));
    }

    [Fact]
    public async Task One_lane_that_is_stuck_holds_up_no_other()
    {
        var hold = new Signal();
        var transport = new RecordingTransport { OnSend = (message, _) => message.ToThreadId == "remote-0" ? hold.Task : Task.CompletedTask };
        var manager = await StartWithAsync(transport, static options => options.MaxMessagesUnderWay = 2);
        await manager.PostAsync("remote-0", Planner, "stuck", cancellationToken: Stop).Within();
        for (var i = 0; i < 5; i++)
        {
            await manager.PostAsync("remote-1", Planner, $"{i}", cancellationToken: Stop).Within();
        }

        await transport.UntilAsync(static transport => transport.Sent.Count == 5);
        hold.Set();
        await transport.UntilAsync(static transport => transport.Sent.Count == 6);
    }

    [Fact]
    public async Task A_failed_attempt_is_made_again_after_a_pause_that_grows_by_the_managers_clock_until_it_fails_for_good()
    {
        var clock = new ManualClock();
        var transport = new RecordingTransport { OnSend = static (_, _) => Task.FromException(new InvalidOperationException("nobody answers")) };
        var faulty = new FaultyStore(Store);
        var manager = await StartWithAsync(
            transport,
            options =>
            {
                options.TimeProvider = clock;
                options.HostTimeout = TimeSpan.FromDays(1);
                options.MaxMessageAttempts = 4;
            },
            faulty);
        var settled = faulty.Hold<SettleOutgoing>(FaultMoment.AfterCommit);
        var receipt = await manager.PostAsync("remote-1", Planner, "hello", cancellationToken: Stop).Within();

        for (var attempt = 1; attempt < 4; attempt++)
        {
            await settled.Reached.WaitAsync();
            var last = settled;
            settled = faulty.Hold<SettleOutgoing>(FaultMoment.AfterCommit);
            last.Release();
            var pause = TimeSpan.FromSeconds(Math.Pow(2, attempt - 1));
            await clock.UntilArmedAsync(pause * 1.25);
            clock.Advance((pause * 0.75) - TimeSpan.FromMilliseconds(1));
            Assert.Equal(attempt, transport.Attempts.Count);
            clock.Advance((pause * 0.5) + TimeSpan.FromMilliseconds(2));
        }

        await settled.Reached.WaitAsync();
        settled.Release();
        Assert.Equal([1, 2, 3, 4], transport.Attempts.Select(static attempt => attempt.Attempt));
        Assert.All(transport.Attempts, attempt => Assert.Equal(receipt.MessageId, attempt.Message.MessageId));
        var failed = Assert.Single(await manager.ListFailedMessagesAsync("t0", Stop));
        Assert.Equal((receipt.MessageId, 4), (failed.MessageId, failed.Attempts));
        Assert.Equal("attempted 4 times, the last time: nobody answers", failed.Reason);
    }

    [Fact]
    public async Task A_rejected_message_fails_at_once_the_lane_goes_on_and_it_can_be_sent_again()
    {
        var transport = new RecordingTransport
        {
            OnSend = static (message, _) => message.Message.Content == "bad" ? throw new MessageRejectedException("no such thread") : Task.CompletedTask,
        };
        var manager = await StartWithAsync(transport);
        var bad = await manager.PostAsync("remote-1", Planner, "bad", cancellationToken: Stop).Within();
        await manager.PostAsync("remote-1", Planner, "good", cancellationToken: Stop).Within();

        await transport.UntilAsync(static transport => transport.Sent.Count == 1);
        var failed = Assert.Single(await manager.ListFailedMessagesAsync("t0", Stop));
        Assert.Equal((bad.MessageId, "rejected: no such thread", 1), (failed.MessageId, failed.Reason, failed.Attempts));
        Assert.Equal(["bad", "good"], transport.Attempts.Select(static attempt => attempt.Message.Content));

        transport.OnSend = static (_, _) => Task.CompletedTask;
        Assert.Equal(new ReplayResult(1, 0), await manager.ReplayFailedMessagesAsync("t0", cancellationToken: Stop).Within());
        await transport.UntilAsync(static transport => transport.Sent.Count == 2);
        Assert.Equal((bad.MessageId, 1), (transport.Sent[1].Message.MessageId, transport.Sent[1].Attempt));
    }

    [Fact]
    public async Task An_attempt_that_takes_too_long_is_told_to_stop_and_counts()
    {
        var clock = new ManualClock();
        var transport = new RecordingTransport { OnSend = static (_, token) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token) };
        var faulty = new FaultyStore(Store);
        var manager = await StartWithAsync(
            transport,
            options =>
            {
                options.TimeProvider = clock;
                options.HostTimeout = TimeSpan.FromDays(1);
                options.MaxMessageAttempts = 1;
            },
            faulty);
        var settled = faulty.Hold<SettleOutgoing>(FaultMoment.AfterCommit);
        await manager.PostAsync("remote-1", Planner, "hello", cancellationToken: Stop).Within();
        await transport.UntilAsync(static transport => transport.Attempts.Count == 1);

        clock.Advance(TimeSpan.FromMinutes(1));

        await settled.Reached.WaitAsync();
        settled.Release();
        Assert.Contains("MessageSendTimeout", Assert.Single(await manager.ListFailedMessagesAsync("t0", Stop)).Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(FaultMoment.AfterCommit)]
    [InlineData(FaultMoment.AfterCommitUnseen)]
    [InlineData(FaultMoment.BeforeCommit)]
    public async Task Answers_that_are_lost_on_the_way_lose_no_message_and_send_none_twice(FaultMoment moment)
    {
        var transport = new RecordingTransport();
        var faulty = new FaultyStore(Store);
        var manager = await StartWithAsync(
            transport,
            static options =>
            {
                options.FirstMessageRetry = TimeSpan.FromMilliseconds(1);
                options.HostTimeout = TimeSpan.FromMilliseconds(250);
            },
            faulty);
        for (var i = 0; i < 6; i++)
        {
            faulty.Fail<ClaimOutbox>(moment);
            faulty.Fail<SettleOutgoing>(moment);
            await manager.PostAsync("remote-1", Planner, $"{i}", cancellationToken: Stop).Within();
        }

        await transport.UntilAsync(static transport => transport.Sent.Count == 6);
        await manager.DisposeAsync().Within();
        Assert.Equal(Enumerable.Range(0, 6).Select(static i => $"{i}"), transport.Attempts.Select(static sent => sent.Message.Content));
    }

    [Fact]
    public async Task A_host_that_dies_between_the_sending_and_its_commit_makes_the_next_one_send_again_with_the_same_id()
    {
        var first = new RecordingTransport();
        var faulty = new FaultyStore(Store);
        var dying = await StartWithAsync(first, store: faulty);
        var unsettled = faulty.Hold<SettleOutgoing>(FaultMoment.BeforeCommit);
        var receipt = await dying.PostAsync("remote-1", Planner, "hello", cancellationToken: Stop).Within();
        await unsettled.Reached.WaitAsync();
        var judge = await JoinAsync("judge");
        var dead = (await Store.HeartbeatAsync(judge.Fence, Stop)).Single(host => host.Fence != judge.Fence).Fence;
        var second = new RecordingTransport();
        var heir = await StartWithAsync(second);
        await heir.PostAsync("remote-1", Planner, "after", cancellationToken: Stop).Within();
        Assert.Empty(second.Attempts);

        await judge.AnswerAsync(new SettleHost(dead));

        await second.UntilAsync(static transport => transport.Sent.Count == 2);
        unsettled.Release();
        await dying.DisposeAsync().Within();
        Assert.Equal(["hello", "after"], second.Sent.Select(static sent => sent.Message.Content));
        Assert.Equal((receipt.MessageId, 2), (second.Sent[0].Message.MessageId, second.Sent[0].Attempt));
        Assert.Equal(receipt.MessageId, Assert.Single(first.Sent).Message.MessageId);
        Assert.Empty(await heir.ListFailedMessagesAsync("t0", Stop));
    }

    [Fact]
    public async Task Of_two_managers_on_one_store_only_one_sends_a_message()
    {
        var transport = new RecordingTransport { OnSend = static async (_, _) => await Task.Yield() };
        var managers = new[] { await StartWithAsync(transport), await StartWithAsync(transport) };

        await Enumerable.Range(0, 4).Select(sender => Task.Run(async () =>
        {
            for (var i = 0; i < 25; i++)
            {
                await managers[(sender + i) % 2].PostAsync("remote-1", new MessageSender($"s{sender}", ""), $"{i}", cancellationToken: Stop);
            }
        }, Stop)).AllWithin();

        await transport.UntilAsync(static transport => transport.Sent.Count >= 100);
        Assert.False(transport.HasMixedLanes);
        Assert.Equal(100, transport.Attempts.Select(static attempt => attempt.Message.MessageId).Distinct().Count());
        Assert.Equal(100, transport.Attempts.Count);
        Assert.All(
            transport.Sent.GroupBy(static sent => sent.Message.FromThreadId),
            static lane => Assert.Equal(Enumerable.Range(0, 25).Select(static i => $"{i}"), lane.Select(static sent => sent.Message.Content)));
    }

    [Fact]
    public async Task A_transport_that_brings_messages_back_into_the_same_store_delivers_each_once()
    {
        BackgroundTaskManager? manager = null;
        var twice = 2;
        var transport = new RecordingTransport
        {
            OnSend = async (message, token) =>
            {
                Assert.Equal(PostResult.Accepted, (await manager!.DeliverAsync(message.ToThreadId, message.Message, token)).Result);
                if (Interlocked.Decrement(ref twice) >= 0)
                {
                    throw new InvalidOperationException("It arrived, and the answer was lost.");
                }
            },
        };
        manager = await StartWithAsync(transport, static options => options.FirstMessageRetry = TimeSpan.FromMilliseconds(1));
        for (var i = 0; i < 3; i++)
        {
            await manager.PostAsync("remote-1", Planner, $"{i}", cancellationToken: Stop).Within();
        }

        await using var inbox = await manager.OpenInboxAsync("remote-1", Stop);
        Assert.Equal(["0", "1", "2"], (await inbox.ReadAsync(3)).Select(static item => ((ThreadMessage)item.Event).Content));
        await transport.UntilAsync(static transport => transport.Sent.Count == 3);
        Assert.Empty(await inbox.DrainAsync(Stop));
    }

    [Fact]
    public async Task After_the_dispose_nothing_is_sent_or_written_even_if_the_transport_does_not_listen()
    {
        var hold = new Signal();
        var transport = new RecordingTransport { OnSend = (_, _) => hold.Task };
        var faulty = new FaultyStore(Store);
        var manager = await StartWithAsync(transport, static options => options.ShutdownGracePeriod = TimeSpan.Zero, faulty);
        await manager.PostAsync("remote-1", Planner, "1", cancellationToken: Stop).Within();
        await manager.PostAsync("remote-1", Planner, "2", cancellationToken: Stop).Within();
        await transport.UntilAsync(static transport => transport.Attempts.Count == 1);

        await manager.DisposeAsync().Within();
        var commits = faulty.Commits;
        hold.Set();
        await transport.UntilAsync(static transport => transport.Sent.Count == 1);

        var next = new RecordingTransport();
        await StartWithAsync(next);
        await next.UntilAsync(static transport => transport.Sent.Count == 2);
        Assert.Equal(commits, faulty.Commits);
        Assert.Equal(["1", "2"], next.Sent.Select(static sent => sent.Message.Content));
        Assert.Single(transport.Attempts);
    }

    [Fact]
    public async Task What_a_transport_throws_when_it_is_asked_reaches_the_caller_and_nothing_is_stored()
    {
        // The dispatcher has commits of its own, so those of posts are counted.
        var posts = 0;
        var faulty = new FaultyStore(Store)
        {
            Always = batch =>
            {
                posts += batch.Mutations.Count(static mutation => mutation is PostToOutbox or PostMessage);
                return FaultMoment.Never;
            },
        };
        var manager = await StartAsync(static options => options.MessageTransport = new Refusing(), faulty);

        await Assert.ThrowsAsync<NotSupportedException>(() => manager.PostAsync("t1", Planner, "x", cancellationToken: Stop).AsTask());

        Assert.Equal(0, posts);
    }

    private Task<BackgroundTaskManager> StartWithAsync(
        IMessageTransport transport, Action<BackgroundTaskOptions>? configure = null, ITaskStore? store = null) => StartAsync(
        options =>
        {
            options.MessageTransport = transport;
            configure?.Invoke(options);
        },
        store);

    private sealed class Refusing : IMessageTransport
    {
        public bool Carries(string toThreadId, string? toAgentId) => throw new NotSupportedException("Not today.");

        public ValueTask SendAsync(OutgoingMessage message, CancellationToken cancellationToken) => ValueTask.CompletedTask;
    }
}
