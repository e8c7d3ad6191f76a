namespace Coppice.StoreContract;

/// <summary>What a store promises of its outbox: order in each lane, claims that go with their host, attempts, and what fails.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class OutboxContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    private static readonly TimeSpan Week = TimeSpan.FromDays(7);

    [Fact]
    public async Task Of_each_lane_only_the_first_message_is_given_out_and_the_next_when_it_is_settled()
    {
        var host = await JoinAsync();
        await PostAsync(host, "t1", "a", "1");
        await PostAsync(host, "t1", "a", "2");
        await PostAsync(host, "t1", "b", "3");
        await PostAsync(host, "t2", "a", "4");

        var first = await ClaimAsync(host);
        Assert.Equal(["1", "3", "4"], Contents(first));
        Assert.Equal(["t1", "t1", "t2"], first.Messages.Select(static message => message.ToThreadId));
        Assert.All(first.Messages, static message => Assert.Equal(1, message.Attempt));
        Assert.Null(first.NextDue);
        Assert.Empty((await ClaimAsync(host)).Messages);

        Assert.Equal(new OutgoingSettled(true, false, host.Now, 0), await SettleAsync(host, first.Messages[0], AttemptEnd.Sent));
        Assert.Equal(["2"], Contents(await ClaimAsync(host)));
    }

    [Fact]
    public async Task A_claim_takes_no_more_than_it_asks_for()
    {
        var host = await JoinAsync();
        for (var i = 0; i < 5; i++)
        {
            await PostAsync(host, $"t{i}", "a", $"{i}");
        }

        var first = await ClaimAsync(host, limit: 2);
        Assert.Equal(["0", "1"], Contents(first));
        Assert.Equal(host.Now, first.NextDue);
        Assert.Equal(["2", "3", "4"], Contents(await ClaimAsync(host)));
    }

    [Fact]
    public async Task Hosts_that_claim_at_once_never_get_the_same_message()
    {
        var hosts = new[] { await JoinAsync("a"), await JoinAsync("b"), await JoinAsync("c") };
        for (var i = 0; i < 60; i++)
        {
            await PostAsync(hosts[0], $"t{i}", "a", $"{i}");
        }

        var claims = await hosts.Select(host => Task.Run(async () =>
        {
            var mine = new List<long>();
            while (await ClaimAsync(host, limit: 3) is { Messages.Count: > 0 } claimed)
            {
                mine.AddRange(claimed.Messages.Select(static message => message.Number));
            }

            return mine;
        }, Stop)).AllWithin();

        var all = claims.SelectMany(static mine => mine).ToList();
        Assert.Equal((60, 60), (all.Count, all.Distinct().Count()));
    }

    [Fact]
    public async Task Only_the_host_that_has_a_message_settles_it_and_only_that_attempt()
    {
        var host = await JoinAsync();
        var other = await JoinAsync("other");
        await PostAsync(host, "t1", "a", "1");
        var message = Assert.Single((await ClaimAsync(host)).Messages);

        Assert.False((await SettleAsync(other, message, AttemptEnd.Sent)).WasHeld);
        Assert.False((await SettleAsync(host, message with { Attempt = 2 }, AttemptEnd.Sent)).WasHeld);
        Assert.False((await SettleAsync(host, message with { Number = 99 }, AttemptEnd.Sent)).WasHeld);
        Assert.True((await SettleAsync(host, message, AttemptEnd.Sent)).WasHeld);
        Assert.False((await SettleAsync(host, message, AttemptEnd.Sent)).WasHeld);
    }

    [Fact]
    public async Task A_retry_is_given_out_when_it_is_due_before_what_comes_after_it_and_counts()
    {
        var host = await JoinAsync();
        await PostAsync(host, "t1", "a", "1");
        await PostAsync(host, "t1", "a", "2");
        var message = Assert.Single((await ClaimAsync(host)).Messages);
        var due = host.Now + TimeSpan.FromSeconds(10);

        Assert.Equal(new OutgoingSettled(true, false, due, 0), await SettleAsync(host, message, AttemptEnd.Retry, due));

        var early = await ClaimAsync(host);
        Assert.Empty(early.Messages);
        Assert.Equal(due, early.NextDue);
        host.Now = due;
        Assert.Equal(message with { Attempt = 2 }, Assert.Single((await ClaimAsync(host)).Messages));
    }

    [Fact]
    public async Task What_a_host_hands_back_is_free_at_once_and_the_attempt_does_not_count()
    {
        var host = await JoinAsync();
        await PostAsync(host, "t1", "a", "1");
        var message = Assert.Single((await ClaimAsync(host)).Messages);

        await SettleAsync(host, message, AttemptEnd.HandedBack);

        Assert.Equal(message, Assert.Single((await ClaimAsync(await JoinAsync("other"))).Messages));
    }

    [Theory]
    [InlineData("leaves")]
    [InlineData("is settled")]
    [InlineData("dies with the process")]
    public async Task What_a_host_had_is_free_when_it(string goes)
    {
        var host = await JoinAsync("gone");
        await PostAsync(host, "t1", "a", "1");
        await PostAsync(host, "t1", "a", "2");
        var message = Assert.Single((await ClaimAsync(host)).Messages);
        var other = await JoinAsync("other");
        Assert.Empty((await ClaimAsync(other)).Messages);
        switch (goes)
        {
            case "leaves":
                await host.AnswerAsync(new LeaveHost());
                break;
            case "is settled":
                await other.AnswerAsync(new SettleHost(host.Fence));
                break;
            default:
                await ReopenAsync();
                host = new StoreHost(Store, host.Fence);
                other = await JoinAsync("next");

                // Where the store goes on by itself so does the host, until it is given up.
                await other.AnswerAsync(new SettleHost(host.Fence));
                break;
        }

        Assert.Equal(message with { Attempt = 2 }, Assert.Single((await ClaimAsync(other)).Messages));
        Assert.Equal(CommitStatus.Fenced, (await host.CommitAsync(new SettleOutgoing(message.Number, 1, AttemptEnd.Sent))).Status);
    }

    [Fact]
    public async Task A_message_that_was_attempted_often_enough_fails_when_it_is_next_due_and_the_lane_goes_on()
    {
        var other = await JoinAsync("other");
        await PostAsync(other, "t1", "a", "1");
        await PostAsync(other, "t1", "a", "2");
        for (var i = 0; i < 2; i++)
        {
            var host = await JoinAsync("gone");
            Assert.Equal(["1"], Contents(await ClaimAsync(host, maxAttempts: 2)));
            await host.AnswerAsync(new LeaveHost());
        }

        var claimed = await ClaimAsync(other, maxAttempts: 2);

        Assert.Equal(["2"], Contents(claimed));
        Assert.Equal(1, claimed.Failed);
        var failed = Assert.Single(await Store.ListFailedMessagesAsync("a", Stop));
        Assert.Equal(("1", "t1", 2, other.Now), (failed.Content, failed.ToThreadId, failed.Attempts, failed.FailedAt));
    }

    [Fact]
    public async Task A_message_that_failed_is_listed_with_its_reason_and_is_sent_again_with_fresh_attempts_at_the_end_of_its_lane()
    {
        var host = await JoinAsync();
        await PostAsync(host, "t1", "a", "1");
        await PostAsync(host, "t1", "a", "2");
        var message = Assert.Single((await ClaimAsync(host)).Messages);

        var settled = Assert.IsType<OutgoingSettled>(await host.AnswerAsync(
            new SettleOutgoing(message.Number, 1, AttemptEnd.Failed) { Reason = "no such place" }));

        Assert.True(settled.HasFailed);
        var failed = Assert.Single(await Store.ListFailedMessagesAsync("a", Stop));
        Assert.Equal(
            new FailedMessage(failed.Number, message.Message.MessageId, "t1", null, new MessageSender("a", "planner"), "1", "no such place", 1, host.Now),
            failed);
        await ReopenAsync();
        host = await JoinAsync();
        Assert.Equal(new MessagesReplayed(1, 0), await host.AnswerAsync(new ReplayFailedMessages("a", null, Week, null, 10)));
        Assert.Empty(await Store.ListFailedMessagesAsync("a", Stop));
        var next = Assert.Single((await ClaimAsync(host)).Messages);
        Assert.Equal("2", next.Message.Content);
        await SettleAsync(host, next, AttemptEnd.Sent);
        var again = Assert.Single((await ClaimAsync(host)).Messages);
        Assert.Equal((message.Message, 1), (again.Message, again.Attempt));
    }

    [Fact]
    public async Task An_id_goes_out_once_and_comes_in_once()
    {
        var host = await JoinAsync();
        var message = Mailbag.Message("hello", "a");
        Assert.Equal(new MailPosted(0), await host.AnswerAsync(new PostToOutbox("t1", message, Week)));
        Assert.Equal(new MailPosted(0) { WasKnown = true }, await host.AnswerAsync(new PostToOutbox("t1", message, Week)));
        Assert.Equal(new MailPosted(0) { WasKnown = true }, await host.AnswerAsync(new PostMessage("t1", message) { KeepIdFor = Week }));

        var delivery = new PostMessage("t1", message) { KeepIdFor = Week, IsDelivery = true };
        Assert.Equal(new MailPosted(1), await host.AnswerAsync(delivery));
        Assert.Equal(new MailPosted(1) { WasKnown = true }, await host.AnswerAsync(delivery));
        Assert.Equal(new MailPosted(1) { WasKnown = true }, await host.AnswerAsync(new PostToOutbox("t1", message, Week)));

        await SettleAsync(host, Assert.Single((await ClaimAsync(host)).Messages), AttemptEnd.Sent);
        host.Now += Week - TimeSpan.FromMilliseconds(1);
        Assert.True(Assert.IsType<MailPosted>(await host.AnswerAsync(new PostToOutbox("t1", message, Week))).WasKnown);
    }

    [Fact]
    public async Task An_id_that_was_sent_is_forgotten_in_time()
    {
        var host = await JoinAsync();
        var message = Mailbag.Message("hello", "a");
        await host.AnswerAsync(new PostToOutbox("t1", message, Week));
        await SettleAsync(host, Assert.Single((await ClaimAsync(host)).Messages), AttemptEnd.Sent);
        Assert.Equal(host.Now + Week, await Store.FindNextExpiryAsync(Stop));
        host.Now += Week;
        await host.AnswerAsync(new ExpireMessages(10, 10));

        Assert.Null(await Store.FindNextExpiryAsync(Stop));
        Assert.Equal(new MailPosted(0), await host.AnswerAsync(new PostToOutbox("t1", message, Week)));
    }

    [Fact]
    public async Task What_waits_expires_wherever_it_stands_in_its_lane_and_what_is_being_sent_is_its_hosts_to_judge()
    {
        var host = await JoinAsync();
        await PostAsync(host, "t1", "a", "1", TimeSpan.FromSeconds(10));
        await PostAsync(host, "t1", "a", "2", TimeSpan.FromSeconds(10));
        await PostAsync(host, "t1", "a", "3");
        await PostAsync(host, "t2", "a", "4", TimeSpan.FromSeconds(10));
        var claimed = await ClaimAsync(host);
        Assert.Equal(["1", "4"], Contents(claimed));
        await SettleAsync(host, claimed.Messages[1], AttemptEnd.HandedBack);
        host.Now += TimeSpan.FromSeconds(10);

        Assert.Equal(2, Assert.IsType<MessagesExpired>(await host.AnswerAsync(new ExpireMessages(10, 10))).Count);
        Assert.Equal(["2", "4"], (await Store.ListFailedMessagesAsync("a", Stop)).Select(static failed => failed.Content).Order());
        var settled = await SettleAsync(host, claimed.Messages[0], AttemptEnd.Retry, host.Now);
        Assert.True(settled.HasFailed);
        Assert.Equal(["3"], Contents(await ClaimAsync(host)));
        Assert.Equal(3, (await Store.ListFailedMessagesAsync("a", Stop)).Count);
    }

    [Fact]
    public async Task A_message_that_expired_while_it_waited_is_not_given_out()
    {
        var host = await JoinAsync();
        await PostAsync(host, "t1", "a", "1", TimeSpan.FromSeconds(10));
        host.Now += TimeSpan.FromSeconds(10);

        var claimed = await ClaimAsync(host);

        Assert.Empty(claimed.Messages);
        Assert.Equal(1, claimed.Failed);
        Assert.StartsWith("expired: ", Assert.Single(await Store.ListFailedMessagesAsync("a", Stop)).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_outbox_outlives_the_process()
    {
        var host = await JoinAsync();
        for (var i = 0; i < 3; i++)
        {
            await PostAsync(host, "t1", "a", $"{i}");
        }

        for (var i = 0; i < 3; i++)
        {
            await ReopenAsync();
            host = await JoinAsync();
            var message = Assert.Single((await ClaimAsync(host)).Messages);
            Assert.Equal($"{i}", message.Message.Content);
            await SettleAsync(host, message, AttemptEnd.Sent);
        }

        Assert.Empty((await ClaimAsync(host)).Messages);
    }

    private static IEnumerable<string> Contents(OutboxClaimed claimed) => claimed.Messages.Select(static message => message.Message.Content);

    private static async Task PostAsync(StoreHost host, string to, string from, string content, TimeSpan? timeToLive = null) =>
        Assert.Equal(new MailPosted(0), await host.AnswerAsync(
            new PostToOutbox(to, Mailbag.Message(content, from) with { ExpiresAt = host.Now + timeToLive }, Week)));

    private static async Task<OutboxClaimed> ClaimAsync(StoreHost host, int limit = 100, int maxAttempts = 100) =>
        Assert.IsType<OutboxClaimed>(await host.AnswerAsync(new ClaimOutbox(limit, maxAttempts, 100)));

    private static async Task<OutgoingSettled> SettleAsync(StoreHost host, OutgoingMessage message, AttemptEnd end, DateTimeOffset retryAt = default) =>
        Assert.IsType<OutgoingSettled>(await host.AnswerAsync(
            new SettleOutgoing(message.Number, message.Attempt, end) { RetryAt = retryAt, Reason = "it failed" }));
}
