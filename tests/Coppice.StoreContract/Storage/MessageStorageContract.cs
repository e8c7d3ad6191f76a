namespace Coppice.StoreContract;

/// <summary>What a store promises of messages between threads: ids that count once, limits, expiry, and what failed.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class MessageStorageContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    private static readonly TimeSpan Week = TimeSpan.FromDays(7);

    [Fact]
    public async Task The_same_id_to_the_same_thread_is_posted_once()
    {
        var host = await JoinAsync();
        var message = Mailbag.Message("hello");

        Assert.Equal(new MailPosted(1), await host.AnswerAsync(Post("t1", message)));
        Assert.Equal(new MailPosted(1) { WasKnown = true }, await host.AnswerAsync(Post("t1", message with { Content = "other" })));
        Assert.Equal(new MailPosted(1), await host.AnswerAsync(Post("t2", message)));

        Assert.Equal([message], Events(await Store.ReadAllAsync(host, "t1")));
        Assert.Equal([message], Events(await Store.ReadAllAsync(host, "t2")));
    }

    [Fact]
    public async Task An_id_is_remembered_until_a_while_after_the_acknowledgement_however_long_that_takes()
    {
        var host = await JoinAsync();
        var message = Mailbag.Message("hello");
        await host.AnswerAsync(Post("t1", message));
        host.Now += Week * 10;
        Assert.True(Assert.IsType<MailPosted>(await host.AnswerAsync(Post("t1", message))).WasKnown);
        await ReopenAsync();
        host = await RejoinAsync(host);
        var reader = await host.OpenAsync("t1");
        await host.AnswerAsync(new AcknowledgeMail("t1", reader, 1));

        host.Now += Week - TimeSpan.FromMilliseconds(1);
        Assert.Equal(new MailPosted(1) { WasKnown = true }, await host.AnswerAsync(Post("t1", message)));
        await SweepAsync(host);
        Assert.Equal(new MailPosted(1) { WasKnown = true }, await host.AnswerAsync(Post("t1", message)));
        host.Now += TimeSpan.FromMilliseconds(1);
        Assert.Equal(new MailPosted(2), await host.AnswerAsync(Post("t1", message)));
        Assert.Equal(new MailPosted(2) { WasKnown = true }, await host.AnswerAsync(Post("t1", message)));
    }

    [Fact]
    public async Task Ids_that_were_remembered_long_enough_are_swept_away()
    {
        var host = await JoinAsync();
        await host.AnswerAsync(Post("t1", Mailbag.Message("hello")));
        Assert.Null(await Store.FindNextExpiryAsync(Stop));
        var reader = await host.OpenAsync("t1");
        await host.AnswerAsync(new AcknowledgeMail("t1", reader, 1));

        Assert.Equal(host.Now + Week, await Store.FindNextExpiryAsync(Stop));
        host.Now += Week;
        Assert.Equal(0, (await SweepAsync(host)).Count);
        Assert.Null(await Store.FindNextExpiryAsync(Stop));
    }

    [Fact]
    public async Task Of_many_posts_of_one_id_at_once_one_is_stored()
    {
        var host = await JoinAsync();
        for (var round = 0; round < 20; round++)
        {
            var message = Mailbag.Message($"{round}");

            var answers = await Enumerable.Range(0, 8).Select(_ => Task.Run(() => host.AnswerAsync(Post("t1", message)), Stop)).AllWithin();

            Assert.Single(answers, static answer => !Assert.IsType<MailPosted>(answer).WasKnown);
        }

        Assert.Equal(20, (await Store.ReadAllAsync(host, "t1")).Count);
    }

    [Fact]
    public async Task A_mailbox_takes_so_many_unread_messages_and_known_ones_are_no_more()
    {
        var host = await JoinAsync();
        var first = Mailbag.Message("1");
        await host.AnswerAsync(Post("t1", first) with { MaxUnread = 2 });
        await host.AnswerAsync(Post("t1", Mailbag.Message("2")) with { MaxUnread = 2 });

        Assert.Equal(
            new PostRefused(PostResult.MailboxFull), await host.RefusalAsync(Post("t1", Mailbag.Message("3")) with { MaxUnread = 2 }));
        Assert.True(Assert.IsType<MailPosted>(await host.AnswerAsync(Post("t1", first) with { MaxUnread = 2 })).WasKnown);

        var reader = await host.OpenAsync("t1");
        await Store.ReadMailAsync("t1", reader, 0, 1, Stop);
        Assert.Equal(new MailPosted(3), await host.AnswerAsync(Post("t1", Mailbag.Message("3")) with { MaxUnread = 2 }));
        Assert.IsType<PostRefused>(await host.RefusalAsync(Post("t1", Mailbag.Message("4")) with { MaxUnread = 2 }));
    }

    [Fact]
    public async Task What_has_expired_takes_no_room_in_a_full_mailbox()
    {
        var host = await JoinAsync();
        await host.AnswerAsync(Post("t1", Expiring(host, "1", TimeSpan.FromSeconds(10))) with { MaxUnread = 1 });
        await host.RefusalAsync(Post("t1", Mailbag.Message("2")) with { MaxUnread = 1 });
        host.Now += TimeSpan.FromSeconds(10);

        Assert.Equal(new MailPosted(2), await host.AnswerAsync(Post("t1", Mailbag.Message("3")) with { MaxUnread = 1 }));

        Assert.Equal("1", Assert.Single(await Store.ListFailedMessagesAsync("t0", Stop)).Content);
        Assert.IsType<PostRefused>(await host.RefusalAsync(Post("t1", Mailbag.Message("4")) with { MaxUnread = 1 }));
    }

    [Fact]
    public async Task A_message_that_nobody_acknowledged_in_time_becomes_a_failed_message_of_its_senders_thread()
    {
        var host = await JoinAsync();
        var listener = new RecordingListener();
        using var subscription = Store.Subscribe(listener);
        var message = Expiring(host, "hello", TimeSpan.FromSeconds(10)) with { ToAgentId = "reviewer" };
        await host.AnswerAsync(Post("t1", message));
        await host.AnswerAsync(Post("t1", Mailbag.Message("stays")));
        Assert.Equal(message.ExpiresAt, await Store.FindNextExpiryAsync(Stop));
        var heard = listener.Snapshot().Count;

        host.Now = message.ExpiresAt!.Value - TimeSpan.FromMilliseconds(1);
        Assert.Equal(0, (await SweepAsync(host)).Count);
        host.Now = message.ExpiresAt!.Value;
        Assert.Equal(1, (await SweepAsync(host)).Count);
        Assert.Equal(0, (await SweepAsync(host)).Count);

        Assert.Equal(heard, listener.Snapshot().Count);
        Assert.Equal(["stays"], Events(await Store.ReadAllAsync(host, "t1")).Select(static mail => ((ThreadMessage)mail).Content));
        Assert.Equal(1, Store.MailDepth);
        var failed = Assert.Single(await Store.ListFailedMessagesAsync("t0", Stop));
        Assert.Equal(
            new FailedMessage(
                failed.Number, message.MessageId, "t1", "reviewer", new MessageSender("t0", "planner"), "hello", failed.Reason, 0, host.Now),
            failed);
        Assert.StartsWith("expired: ", failed.Reason, StringComparison.Ordinal);
        Assert.Empty(await Store.ListFailedMessagesAsync("t1", Stop));
        Assert.True(Assert.IsType<MailPosted>(await host.AnswerAsync(Post("t1", message))).WasKnown);
        await ReopenAsync();
        Assert.Equal([failed], await Store.ListFailedMessagesAsync("t0", Stop));
    }

    [Fact]
    public async Task An_acknowledgement_after_the_expiry_comes_too_late_for_that_message_only()
    {
        var host = await JoinAsync();
        await host.AnswerAsync(Post("t1", Mailbag.Message("1")));
        await host.AnswerAsync(Post("t1", Expiring(host, "2", TimeSpan.FromSeconds(10))));
        await host.AnswerAsync(Post("t1", Mailbag.Message("3")));
        var reader = await host.OpenAsync("t1");
        await Store.ReadAsync("t1", reader);
        host.Now += TimeSpan.FromSeconds(10);

        Assert.Equal(new MailAcknowledged(3), await host.AnswerAsync(new AcknowledgeMail("t1", reader, 3)));

        Assert.Equal("2", Assert.Single(await Store.ListFailedMessagesAsync("t0", Stop)).Content);
        Assert.Equal(0, Store.MailDepth);
        Assert.Empty(await Store.ListThreadsWithUnreadMailAsync(Stop));
        Assert.Equal(0, (await SweepAsync(host)).Count);
    }

    [Fact]
    public async Task A_message_acknowledged_in_time_never_expires()
    {
        var host = await JoinAsync();
        await host.AnswerAsync(Post("t1", Expiring(host, "1", TimeSpan.FromSeconds(10))));
        var reader = await host.OpenAsync("t1");
        await host.AnswerAsync(new AcknowledgeMail("t1", reader, 1));
        host.Now += TimeSpan.FromDays(1);

        Assert.Equal(0, (await SweepAsync(host)).Count);
        Assert.Empty(await Store.ListFailedMessagesAsync("t0", Stop));
    }

    [Fact]
    public async Task Messages_that_expire_are_taken_in_portions()
    {
        var host = await JoinAsync();
        for (var i = 0; i < 5; i++)
        {
            await host.AnswerAsync(Post("t1", Expiring(host, $"{i}", TimeSpan.FromSeconds(10 + i))));
        }

        host.Now += TimeSpan.FromMinutes(1);

        Assert.Equal(new MessagesExpired(3, 0, true), await host.AnswerAsync(new ExpireMessages(3, 100)));
        Assert.Equal(new MessagesExpired(2, 0, false), await host.AnswerAsync(new ExpireMessages(3, 100)));
        Assert.Equal(["0", "1", "2", "3", "4"], (await Store.ListFailedMessagesAsync("t0", Stop)).Select(static failed => failed.Content));
    }

    [Fact]
    public async Task A_thread_keeps_so_many_failed_messages_and_the_oldest_go()
    {
        var host = await JoinAsync();
        for (var i = 0; i < 5; i++)
        {
            await host.AnswerAsync(Post("t1", Expiring(host, $"{i}", TimeSpan.FromSeconds(10 + i))));
        }

        host.Now += TimeSpan.FromMinutes(1);

        Assert.Equal(new MessagesExpired(5, 3, false), await host.AnswerAsync(new ExpireMessages(100, 2)));
        Assert.Equal(["3", "4"], (await Store.ListFailedMessagesAsync("t0", Stop)).Select(static failed => failed.Content));
    }

    [Fact]
    public async Task Dead_letters_are_failed_messages_of_the_owner_too_and_count_to_the_same_limit()
    {
        var host = await JoinAsync();
        var agent = await host.AddAgentAsync("t1", "agent-thread", Guid.NewGuid());
        for (var i = 0; i < 3; i++)
        {
            await host.AnswerAsync(new SendMessage(agent, new MessageSender("t1", "planner"), $"{i}", 100));
        }

        await host.FinishAsync(agent);

        var failed = await Store.ListFailedMessagesAsync("t1", Stop);
        Assert.Equal(["0", "1", "2"], failed.Select(static each => each.Content));
        Assert.All(failed, each => Assert.Equal(
            new FailedMessage(each.Number, "", "agent-thread", agent, new MessageSender("t1", "planner"), each.Content, each.Reason, 0, host.Now), each));
        Assert.Equal([1L, 2, 3], (await Store.ListDeadLettersAsync("agent-thread", Stop)).Select(static letter => letter.Sequence));
        Assert.NotNull(await Store.FindNextExpiryAsync(Stop));

        Assert.Equal(new MessagesExpired(0, 1, false), await host.AnswerAsync(new ExpireMessages(100, 2)));
        Assert.Null(await Store.FindNextExpiryAsync(Stop));
        Assert.Equal([2L, 3], (await Store.ListDeadLettersAsync("agent-thread", Stop)).Select(static letter => letter.Sequence));
        Assert.Equal(2, (await Store.ListFailedMessagesAsync("t1", Stop)).Count);
    }

    [Fact]
    public async Task Failed_messages_are_cleared_all_or_by_number()
    {
        var host = await JoinAsync();
        await FailAsync(host, "1", "2", "3");
        var numbers = (await Store.ListFailedMessagesAsync("t0", Stop)).Select(static failed => failed.Number).ToList();

        Assert.Equal(new FailedMessagesCleared(0), await host.AnswerAsync(new ClearFailedMessages("t1", null)));
        Assert.Equal(new FailedMessagesCleared(0), await host.AnswerAsync(new ClearFailedMessages("t1", numbers)));
        Assert.Equal(new FailedMessagesCleared(1), await host.AnswerAsync(new ClearFailedMessages("t0", [numbers[1], numbers[1], 999])));
        Assert.Equal(["1", "3"], (await Store.ListFailedMessagesAsync("t0", Stop)).Select(static failed => failed.Content));
        Assert.Equal(new FailedMessagesCleared(2), await host.AnswerAsync(new ClearFailedMessages("t0", null)));
        Assert.Empty(await Store.ListFailedMessagesAsync("t0", Stop));
    }

    [Fact]
    public async Task Failed_messages_are_sent_again_in_order_with_the_same_id_and_may_fail_again()
    {
        var host = await JoinAsync();
        await FailAsync(host, "1", "2", "3");
        var before = await Store.ListFailedMessagesAsync("t0", Stop);

        Assert.Equal(new MessagesReplayed(2, 0), await host.AnswerAsync(Replay("t0", [before[2].Number, before[0].Number, 999])));

        Assert.Equal(["2"], (await Store.ListFailedMessagesAsync("t0", Stop)).Select(static failed => failed.Content));
        var mail = Events(await Store.ReadAllAsync(host, "t1")).Cast<ThreadMessage>().ToList();
        Assert.Equal(["1", "3"], mail.Select(static message => message.Content));
        Assert.Equal([before[0].MessageId, before[2].MessageId], mail.Select(static message => message.MessageId));
        Assert.All(mail, static message => Assert.Null(message.ExpiresAt));
        Assert.True(Assert.IsType<MailPosted>(await host.AnswerAsync(Post("t1", mail[0]))).WasKnown);

        Assert.Equal(
            new MessagesReplayed(1, 0), await host.AnswerAsync(Replay("t0", null) with { ExpiresAt = host.Now + TimeSpan.FromSeconds(5) }));
        host.Now += TimeSpan.FromSeconds(5);
        Assert.Equal(1, (await SweepAsync(host)).Count);
        Assert.Equal(before[1].MessageId, Assert.Single(await Store.ListFailedMessagesAsync("t0", Stop)).MessageId);
    }

    [Fact]
    public async Task A_failed_message_stays_while_its_mailbox_is_full()
    {
        var host = await JoinAsync();
        await FailAsync(host, "1", "2");

        Assert.Equal(new MessagesReplayed(1, 1), await host.AnswerAsync(Replay("t0", null) with { MaxUnread = 1 }));

        Assert.Equal("2", Assert.Single(await Store.ListFailedMessagesAsync("t0", Stop)).Content);
    }

    [Fact]
    public async Task A_dead_letter_is_sent_again_only_where_a_live_agent_reads()
    {
        var host = await JoinAsync();
        var first = await host.AddAgentAsync("t1", "agent-thread", Guid.NewGuid());
        await host.AnswerAsync(new SendMessage(first, new MessageSender("t1", "planner"), "look", 100));
        await host.FinishAsync(first);

        Assert.Equal(new MessagesReplayed(0, 1), await host.AnswerAsync(Replay("t1", null)));
        Assert.Single(await Store.ListDeadLettersAsync("agent-thread", Stop));

        var reader = Guid.NewGuid();
        var second = await host.AddAgentAsync("t1", "agent-thread", reader);
        Assert.Equal(new MessagesReplayed(1, 0), await host.AnswerAsync(Replay("t1", null)));

        Assert.Equal([AgentMessage.Create(second, "planner", "look")], Events(await Store.ReadAsync("agent-thread", reader)));
        Assert.Empty(await Store.ListDeadLettersAsync("agent-thread", Stop));
        Assert.Empty(await Store.ListFailedMessagesAsync("t1", Stop));
        await host.FinishAsync(second);
        Assert.Equal("look", Assert.Single(await Store.ListFailedMessagesAsync("t1", Stop)).Content);
    }

    [Fact]
    public async Task Nothing_of_a_host_without_an_open_fence_changes_messages()
    {
        var host = await JoinAsync();
        await FailAsync(host, "1");
        var gone = await JoinAsync("gone");
        await gone.AnswerAsync(new LeaveHost());
        Mutation[] mutations =
        [
            Post("t1", Mailbag.Message("2")), new ExpireMessages(10, 10), new ClearFailedMessages("t0", null), Replay("t0", null),
            new PostToOutbox("t1", Mailbag.Message("3"), Week), new ClaimOutbox(1, 1, 1), new SettleOutgoing(1, 1, AttemptEnd.Sent),
        ];
        foreach (var mutation in mutations)
        {
            Assert.Equal(CommitStatus.Fenced, (await gone.CommitAsync(mutation)).Status);
        }

        Assert.Single(await Store.ListFailedMessagesAsync("t0", Stop));
        Assert.Empty(await Store.ReadAllAsync(host, "t1"));
    }

    private static PostMessage Post(string thread, ThreadMessage message) => new(thread, message) { KeepIdFor = Week };

    private static ReplayFailedMessages Replay(string thread, IReadOnlyCollection<long>? numbers) => new(thread, numbers, Week, null, 100);

    private static ThreadMessage Expiring(StoreHost host, string content, TimeSpan after) =>
        Mailbag.Message(content) with { ExpiresAt = host.Now + after };

    private static IEnumerable<MailEvent> Events(IReadOnlyList<InboxItem> items) => items.Select(static item => item.Event);

    private static async Task<MessagesExpired> SweepAsync(StoreHost host) =>
        Assert.IsType<MessagesExpired>(await host.AnswerAsync(new ExpireMessages(100, 100)));

    /// <summary>Lets messages of t0 to t1 expire.</summary>
    private static async Task FailAsync(StoreHost host, params string[] contents)
    {
        foreach (var content in contents)
        {
            await host.AnswerAsync(Post("t1", Expiring(host, content, TimeSpan.FromSeconds(1))));
        }

        host.Now += TimeSpan.FromSeconds(1);
        Assert.Equal(contents.Length, (await SweepAsync(host)).Count);
    }

    private async Task<StoreHost> RejoinAsync(StoreHost before)
    {
        var host = await JoinAsync();
        host.Now = before.Now;
        return host;
    }
}
