namespace Coppice.StoreContract;

/// <summary>An agent task of a kind that waits for a host: it takes messages, and nobody is woken for them.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class PendingAgentsContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    private static readonly MessageSender Planner = new("t1", "planner");

    [Fact]
    public async Task A_pending_agent_takes_messages_before_any_host_has_it_and_reads_them_then()
    {
        var host = await JoinAsync();
        var id = await host.AddWorkAgentAsync("at");
        await SendAsync(host, id, "one");
        await SendAsync(host, id, "two");
        var reader = Guid.NewGuid();

        await host.ClaimForAsync(reader);

        Assert.Equal(["one", "two"], (await Store.ReadAsync("at", reader)).Select(static item => Content(item.Event)));
    }

    [Fact]
    public async Task A_pending_agents_inbox_has_a_limit_like_any_other()
    {
        var host = await JoinAsync();
        var id = await host.AddWorkAgentAsync("at");
        await host.AnswerAsync(new SendMessage(id, Planner, "one", 1));

        Assert.Equal(new SendRefused(new SendReceipt(SendResult.InboxFull, null)), await host.RefusalAsync(new SendMessage(id, Planner, "two", 1)));
        Assert.Equal(
            new SendRefused(new SendReceipt(SendResult.NotOwner, null)), await host.RefusalAsync(new SendMessage(id, new MessageSender("t2", "x"), "two", 9)));
    }

    [Fact]
    public async Task A_pending_agents_mailbox_is_not_opened_and_its_reader_is_that_of_the_claim()
    {
        var host = await JoinAsync();
        var other = await JoinAsync("other");
        var mine = await host.OpenAsync("at");
        var stranger = Guid.NewGuid();
        await host.AddWorkAsync(task: task => task with { AgentThreadId = "at", AgentReader = stranger });
        Assert.True((await Store.ReadMailAsync("at", mine, 0, 1, Stop)).IsReader);
        Assert.False((await Store.ReadMailAsync("at", stranger, 0, 1, Stop)).IsReader);
        var listener = new RecordingListener();
        using var subscription = Store.Subscribe(listener);
        var reader = Guid.NewGuid();

        await other.ClaimForAsync(reader);

        Assert.False((await Store.ReadMailAsync("at", mine, 0, 1, Stop)).IsReader);
        Assert.True((await Store.ReadMailAsync("at", reader, 0, 1, Stop)).IsReader);
        Assert.Contains(new RecordingListener.Heard("MailboxOpened", "at", (reader, (Guid?)mine)), listener.Snapshot());
    }

    [Fact]
    public async Task The_end_of_the_attempt_closes_the_mailbox_that_was_opened_for_it()
    {
        var host = await JoinAsync();
        var id = await host.AddWorkAgentAsync("at");
        var reader = Guid.NewGuid();
        var claimed = Assert.Single((await host.ClaimForAsync(reader)).Tasks);

        await host.FinishAsync(claimed);

        Assert.False((await Store.ReadMailAsync("at", reader, 0, 1, Stop)).IsReader);
        Assert.Equal(new SendRefused(new SendReceipt(SendResult.TaskTerminated, TaskState.Completed)), await host.RefusalAsync(new SendMessage(id, Planner, "x", 9)));
    }

    [Fact]
    public async Task A_pending_agent_is_the_agent_of_its_thread()
    {
        var host = await JoinAsync();
        var before = await host.AddAgentAsync("t1", "at", Guid.NewGuid());
        await host.FinishAsync(before);
        var id = await host.AddWorkAsync(task: task => task with { AgentThreadId = "at", Continues = before });

        Assert.Equal(
            new AddRefused(SpawnError.AgentBusy),
            await host.RefusalAsync(StoreHost.WorkTask(task: task => task with { AgentThreadId = "at", Continues = before })));
        var task = await Store.GetAsync(id, Stop);
        Assert.Equal(("at", before), (task!.AgentThreadId, task.Continues));
    }

    [Fact]
    public async Task Mail_of_a_pending_agents_thread_wakes_nobody()
    {
        var host = await JoinAsync();
        var id = await host.AddWorkAgentAsync("at");
        var listener = new RecordingListener();
        using var subscription = Store.Subscribe(listener);

        await SendAsync(host, id, "one");
        await host.AnswerAsync(new PostMessage("at", Mailbag.Message("two")));

        Assert.Equal([(true, true), (true, true)], Mails(listener));
        Assert.Empty(await Store.ListThreadsWithUnreadMailAsync(Stop));
        await ReopenAsync();
        Assert.Empty(await Store.ListThreadsWithUnreadMailAsync(Stop));
    }

    [Theory]
    [InlineData("hand back")]
    [InlineData("recovery")]
    [InlineData("close")]
    public async Task A_mailbox_that_closes_while_its_agent_is_pending_again_is_not_left_unread(string closes)
    {
        var host = await JoinAsync();
        var other = await JoinAsync("other");
        var id = await host.AddWorkAgentAsync("at", work: static work => work with { Recovery = RecoveryPolicy.Idempotent });
        var reader = Guid.NewGuid();
        var claimed = Assert.Single((await host.ClaimForAsync(reader)).Tasks);
        await SendAsync(host, id, "one");
        var listener = new RecordingListener();
        using var subscription = Store.Subscribe(listener);
        switch (closes)
        {
            case "hand back":
                await host.HandBackAsync(claimed);
                break;
            case "recovery":
                await other.AnswerAsync(new SettleHost(host.Fence));
                break;
            default:
                await host.HandBackAsync(claimed);
                reader = await other.OpenAsync("at");
                await other.AnswerAsync(new CloseMailbox("at", reader));
                break;
        }

        Assert.False((await Store.ReadMailAsync("at", reader, 0, 1, Stop)).IsReader);
        Assert.DoesNotContain(listener.Snapshot(), static heard => heard.What == "MailLeftUnread");
        Assert.Empty(await Store.ListThreadsWithUnreadMailAsync(Stop));
        await SendAsync(other, id, "two");
        Assert.Equal((true, true), Mails(listener)[^1]);
        var next = Guid.NewGuid();
        await other.ClaimForAsync(next);
        Assert.Equal(["one", "two"], (await Store.ReadAsync("at", next)).Select(static item => Content(item.Event)));
    }

    [Fact]
    public async Task A_mailbox_that_another_reader_has_taken_over_stays_open_when_the_agent_is_handed_back()
    {
        var host = await JoinAsync();
        await host.AddWorkAgentAsync("at");
        var claimed = await host.ClaimOneAsync();
        var taker = await host.OpenAsync("at");

        await host.HandBackAsync(claimed);

        Assert.True((await Store.ReadMailAsync("at", taker, 0, 1, Stop)).IsReader);
    }

    [Theory]
    [InlineData("cancel")]
    [InlineData("deadline")]
    public async Task When_an_agent_ends_while_it_is_pending_its_messages_are_dead_letters_and_the_rest_is_left_unread(string ends)
    {
        var host = await JoinAsync();
        var id = await host.AddWorkAgentAsync("at", work: work => work with { Deadline = host.Now.AddMinutes(1) });
        await SendAsync(host, id, "for the agent");
        await host.AnswerAsync(new PostMessage("at", Mailbag.Message("for the thread")));
        var listener = new RecordingListener();
        using var subscription = Store.Subscribe(listener);

        await EndAsync(host, id, ends);

        Assert.Equal(["for the agent"], (await Store.ListDeadLettersAsync("at", Stop)).Select(static letter => Content(letter.Event)));
        Assert.Single(listener.Snapshot(), static heard => heard is { What: "MailLeftUnread", Subject: "at" });
        Assert.Equal(["at", "t1"], (await Store.ListThreadsWithUnreadMailAsync(Stop)).Order());
        Assert.Equal(SendResult.TaskTerminated, Assert.IsType<SendRefused>(await host.RefusalAsync(new SendMessage(id, Planner, "x", 9))).Receipt.Result);
    }

    [Theory]
    [InlineData("cancel")]
    [InlineData("deadline")]
    public async Task When_an_agent_without_other_mail_ends_while_it_is_pending_nobody_is_woken_for_its_thread(string ends)
    {
        var host = await JoinAsync();
        var id = await host.AddWorkAgentAsync("at", work: work => work with { Deadline = host.Now.AddMinutes(1) });
        await SendAsync(host, id, "for the agent");
        var listener = new RecordingListener();
        using var subscription = Store.Subscribe(listener);

        await EndAsync(host, id, ends);

        Assert.DoesNotContain(listener.Snapshot(), static heard => heard is { What: "MailLeftUnread" });
        Assert.Equal(["t1"], await Store.ListThreadsWithUnreadMailAsync(Stop));
    }

    [Fact]
    public async Task An_agent_that_closed_its_inbox_takes_messages_again_once_it_is_handed_back()
    {
        var host = await JoinAsync();
        var id = await host.AddWorkAgentAsync("at");
        var claimed = await host.ClaimOneAsync();
        await host.AnswerAsync(new CloseAgentInbox(id) { Claim = claimed.Claim });
        Assert.Equal(SendResult.InboxClosed, Assert.IsType<SendRefused>(await host.RefusalAsync(new SendMessage(id, Planner, "x", 9))).Receipt.Result);

        await host.HandBackAsync(claimed, error: "again");

        await SendAsync(host, id, "hello");
    }

    private static async Task EndAsync(StoreHost host, string id, string ends)
    {
        if (ends == "cancel")
        {
            await host.AnswerAsync(new RequestCancel(CancelScope.Task, id));
        }
        else
        {
            host.Now += TimeSpan.FromMinutes(1);
            Assert.Equal(1, (await host.ClaimAsync(0)).Expired);
        }
    }

    private static List<(bool, bool)> Mails(RecordingListener listener) =>
        [.. listener.Snapshot().Where(static heard => heard is { What: "Mail", Subject: "at" }).Select(static heard => ((bool, bool))heard.Detail!)];

    private static async Task SendAsync(StoreHost host, string id, string content) =>
        Assert.IsType<MessageSent>(await host.AnswerAsync(new SendMessage(id, Planner, content, 100)));

    private static string Content(MailEvent mail) => AgentMessage.TryRead(mail, out _, out var content) ? content : ((ThreadMessage)mail).Content;
}
