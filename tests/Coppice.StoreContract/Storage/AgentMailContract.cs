namespace Coppice.StoreContract;

/// <summary>Law 11 in the store: messages to agent tasks, and dead letters.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class AgentMailContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    private static readonly MessageSender Owner = new("t1", "planner");

    [Fact]
    public async Task A_message_goes_into_the_mailbox_of_the_agents_own_thread()
    {
        var host = await JoinAsync();
        var reader = Guid.NewGuid();
        var agent = await host.AddAgentAsync("t1", "at", reader);

        Assert.Equal(new MessageSent(1), await host.AnswerAsync(new SendMessage(agent, Owner, "look", 10)));
        Assert.Equal(new MessageSent(2), await host.AnswerAsync(new SendMessage(agent, Owner, "", 10)));

        Assert.Equal(
            [AgentMessage.Create(agent, "planner", "look"), AgentMessage.Create(agent, "planner", "")],
            (await Store.ReadAsync("at", reader)).Select(static item => item.Event));
        Assert.Empty(await Store.ReadAllAsync(host, "t1"));
    }

    [Fact]
    public async Task Any_host_may_send()
    {
        var host = await JoinAsync("a");
        var other = await JoinAsync("b");
        var agent = await host.AddAgentAsync("t1", "at", Guid.NewGuid());

        Assert.IsType<MessageSent>(await other.AnswerAsync(new SendMessage(agent, Owner, "look", 10)));
    }

    [Fact]
    public async Task Refusals_are_told_apart_in_order()
    {
        var host = await JoinAsync();
        var plain = await host.AddAsync("t1");
        var ended = await host.AddAsync("t1");
        await host.FinishAsync(ended, TaskState.Cancelled);
        var agent = await host.AddAgentAsync("t1", "at", Guid.NewGuid());
        var endedAgent = await host.AddAgentAsync("t1", "at2", Guid.NewGuid());
        await host.FinishAsync(endedAgent, TaskState.Failed);
        var stranger = new MessageSender("t2", "planner");

        Assert.Equal(Refused(SendResult.TaskNotFound), await SendAsync(host, "bg_99", Owner));
        Assert.Equal(Refused(SendResult.NotOwner), await SendAsync(host, agent, stranger));
        Assert.Equal(Refused(SendResult.NotOwner), await SendAsync(host, ended, stranger));
        Assert.Equal(Refused(SendResult.NotOwner), await SendAsync(host, plain, stranger));
        Assert.Equal(Refused(SendResult.TaskTerminated, TaskState.Cancelled), await SendAsync(host, ended, Owner));
        Assert.Equal(Refused(SendResult.TaskTerminated, TaskState.Failed), await SendAsync(host, endedAgent, Owner));
        Assert.Equal(Refused(SendResult.NoInbox), await SendAsync(host, plain, Owner));
        await host.AnswerAsync(new SendMessage(agent, Owner, "one", 1));
        Assert.Equal(Refused(SendResult.InboxFull), await SendAsync(host, agent, Owner, maxUnread: 1));
        Assert.Equal(TaskMoved.Instance, await host.AnswerAsync(new CloseAgentInbox(agent)));
        Assert.Equal(Refused(SendResult.InboxClosed), await SendAsync(host, agent, Owner, maxUnread: 1));
        await host.FinishAsync(agent);
        Assert.Equal(Refused(SendResult.TaskTerminated, TaskState.Completed), await SendAsync(host, agent, Owner));
    }

    [Fact]
    public async Task A_full_inbox_takes_messages_again_once_some_were_read()
    {
        var host = await JoinAsync();
        var reader = Guid.NewGuid();
        var agent = await host.AddAgentAsync("t1", "at", reader);
        for (var i = 0; i < 3; i++)
        {
            await host.AnswerAsync(new SendMessage(agent, Owner, $"{i}", 3));
        }

        Assert.Equal(Refused(SendResult.InboxFull), await SendAsync(host, agent, Owner, maxUnread: 3));
        await Store.ReadMailAsync("at", reader, 0, 2, Stop).Within();
        await host.AnswerAsync(new SendMessage(agent, Owner, "3", 3));
        await host.AnswerAsync(new SendMessage(agent, Owner, "4", 3));
        Assert.Equal(Refused(SendResult.InboxFull), await SendAsync(host, agent, Owner, maxUnread: 3));
    }

    [Fact]
    public async Task Events_of_the_agents_own_tasks_do_not_fill_its_inbox()
    {
        var host = await JoinAsync();
        var agent = await host.AddAgentAsync("t1", "at", Guid.NewGuid());
        var child = await host.AddAsync("at", parent: agent);
        await host.AnswerAsync(new PostEvents(child, 0, Mailbag.ProgressRange(child, 0, 3)));
        await host.FinishAsync(child);

        Assert.IsType<MessageSent>(await host.AnswerAsync(new SendMessage(agent, Owner, "look", 1)));
    }

    [Fact]
    public async Task A_closed_inbox_can_still_be_read_and_its_tasks_events_still_come()
    {
        var host = await JoinAsync();
        var reader = Guid.NewGuid();
        var agent = await host.AddAgentAsync("t1", "at", reader);
        var child = await host.AddAsync("at", parent: agent);
        await host.AnswerAsync(new SendMessage(agent, Owner, "look", 10));

        await host.AnswerAsync(new CloseAgentInbox(agent));
        await host.FinishAsync(child);

        Assert.Equal([1, 2], (await Store.ReadAsync("at", reader)).Select(static item => item.Sequence));
    }

    [Fact]
    public async Task Only_the_agents_own_host_closes_its_inbox()
    {
        var host = await JoinAsync("a");
        var other = await JoinAsync("b");
        var agent = await host.AddAgentAsync("t1", "at", Guid.NewGuid());

        Assert.Equal(new MoveRefused(null), await other.RefusalAsync(new CloseAgentInbox(agent)));
        Assert.IsType<MessageSent>(await host.AnswerAsync(new SendMessage(agent, Owner, "look", 10)));
    }

    [Fact]
    public async Task Messages_that_were_not_acknowledged_when_the_agent_ended_are_dead_letters_and_wake_nobody()
    {
        var host = await JoinAsync();
        var reader = Guid.NewGuid();
        var agent = await host.AddAgentAsync("t1", "at", reader);
        for (var i = 1; i <= 3; i++)
        {
            await host.AnswerAsync(new SendMessage(agent, Owner, $"{i}", 10));
        }

        await Store.ReadAsync("at", reader);
        await host.AnswerAsync(new AcknowledgeMail("at", reader, 1));
        await host.FinishAsync(agent);

        var letters = await Store.ListDeadLettersAsync("at", Stop);
        Assert.Equal([2, 3], letters.Select(static letter => letter.Sequence));
        Assert.Equal([AgentMessage.Create(agent, "planner", "2"), AgentMessage.Create(agent, "planner", "3")], letters.Select(static letter => letter.Event));
        Assert.All(letters, static letter => Assert.False(string.IsNullOrWhiteSpace(letter.Reason)));
        Assert.Equal(["t1"], await Store.ListThreadsWithUnreadMailAsync(Stop));
        Assert.Empty(await Store.ReadAllAsync(host, "at"));
        Assert.Empty(await Store.ListDeadLettersAsync("t1", Stop));
    }

    [Fact]
    public async Task The_reader_of_an_ended_agent_no_longer_has_the_mailbox()
    {
        var host = await JoinAsync();
        var reader = Guid.NewGuid();
        var agent = await host.AddAgentAsync("t1", "at", reader);
        await host.FinishAsync(agent);

        Assert.False((await Store.ReadMailAsync("at", reader, 0, 10, Stop)).IsReader);
        Assert.Equal(ReaderRefused.Instance, await host.RefusalAsync(new AcknowledgeMail("at", reader, 0)));
    }

    [Fact]
    public async Task Terminal_events_of_an_ended_agents_tasks_stay_mail_of_its_thread_and_wake_it()
    {
        var host = await JoinAsync();
        var agent = await host.AddAgentAsync("t1", "at", Guid.NewGuid());
        var before = await host.AddAsync("at", parent: agent);
        var after = await host.AddAsync("at", parent: agent);
        await host.FinishAsync(before);
        await host.AnswerAsync(new SendMessage(agent, Owner, "look", 10));
        await host.FinishAsync(agent);
        await host.FinishAsync(after);

        Assert.Equal(
            [new TaskCompleted(before, null), new TaskCompleted(after, null)],
            (await Store.ReadAllAsync(host, "at")).Select(static item => item.Event));
        Assert.Contains("at", await Store.ListThreadsWithUnreadMailAsync(Stop));
        Assert.Equal([2], (await Store.ListDeadLettersAsync("at", Stop)).Select(static letter => letter.Sequence));
    }

    [Fact]
    public async Task Dead_letters_outlive_the_process()
    {
        var host = await JoinAsync();
        var agent = await host.AddAgentAsync("t1", "at", Guid.NewGuid());
        await host.AnswerAsync(new SendMessage(agent, Owner, "look", 10));
        await host.FinishAsync(agent);
        var before = await Store.ListDeadLettersAsync("at", Stop);

        await ReopenAsync();

        Assert.Equal(before, await Store.ListDeadLettersAsync("at", Stop));
        Assert.Single(before);
    }

    [Fact]
    public async Task An_agent_whose_mailbox_was_taken_over_still_gets_dead_letters_for_what_nobody_acknowledged()
    {
        var host = await JoinAsync();
        var agent = await host.AddAgentAsync("t1", "at", Guid.NewGuid());
        await host.AnswerAsync(new SendMessage(agent, Owner, "1", 10));
        await host.AnswerAsync(new SendMessage(agent, Owner, "2", 10));
        var taker = await host.OpenAsync("at");
        await Store.ReadAsync("at", taker);
        await host.AnswerAsync(new AcknowledgeMail("at", taker, 1));

        await host.FinishAsync(agent);

        Assert.Equal([2], (await Store.ListDeadLettersAsync("at", Stop)).Select(static letter => letter.Sequence));
    }

    [Fact]
    public async Task Messages_sent_while_the_agent_ends_are_delivered_or_refused_and_none_is_lost()
    {
        var host = await JoinAsync();
        for (var round = 0; round < 40; round++)
        {
            var thread = $"at{round}";
            var agent = await host.AddAgentAsync("t1", thread, Guid.NewGuid());
            var sends = Enumerable.Range(0, 4)
                .Select(i => Task.Run(() => host.CommitAsync(new SendMessage(agent, Owner, $"{i}", 10)), Stop))
                .ToList();
            var end = Task.Run(() => host.FinishAsync(agent), Stop);
            var answers = (await sends.AllWithin()).Select(static result => result.Answers[0]).ToList();
            await end.Within();

            Assert.All(
                answers.Where(static answer => answer is not MessageSent),
                static answer => Assert.Equal(Refused(SendResult.TaskTerminated, TaskState.Completed), answer));
            Assert.Equal(
                answers.OfType<MessageSent>().Select(static sent => sent.Sequence).Order(),
                (await Store.ListDeadLettersAsync(thread, Stop)).Select(static letter => letter.Sequence));
        }
    }

    private static SendRefused Refused(SendResult result, TaskState? state = null) => new(new SendReceipt(result, state));

    private static Task<MutationAnswer> SendAsync(StoreHost host, string taskId, MessageSender from, int maxUnread = 10) =>
        host.RefusalAsync(new SendMessage(taskId, from, "x", maxUnread));
}
