namespace Coppice.StoreContract;

/// <summary>A thread's conversation: appended to by the reader of its mailbox alone, together with what it acknowledges.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class AppendConversationContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    [Fact]
    public async Task Entries_come_back_in_order_and_byte_for_byte()
    {
        const string Odd = """{ "b":1.0e2, "a":"ünï🌳 \u0041\ud83c\udf33", "b":[ 1 , null ], "" : -0 }""";
        var host = await JoinAsync();
        var reader = await host.OpenAsync("t1");

        Assert.Equal(new ConversationAppended(2), await AppendAsync(host, reader, 0, Odd, "null"));
        Assert.Equal(new ConversationAppended(3), await AppendAsync(host, reader, 2, "\"x\""));

        Assert.Equal([Odd, "null", "\"x\""], await ReadAsync("t1"));
    }

    [Fact]
    public async Task A_thread_without_a_conversation_has_no_entries()
    {
        await JoinAsync();

        var page = await Store.ReadConversationAsync("nobody", 0, 10, Stop);

        Assert.Equal(0, page.Count);
        Assert.Empty(page.Entries);
    }

    [Fact]
    public async Task A_page_holds_what_was_asked_for_and_tells_how_much_there_is()
    {
        var host = await JoinAsync();
        var reader = await host.OpenAsync("t1");
        await AppendAsync(host, reader, 0, "0", "1", "2", "3", "4");

        foreach (var (from, limit, expected) in new[] { (0, 2, "0 1"), (2, 2, "2 3"), (4, 2, "4"), (5, 2, ""), (9, 1, ""), (0, int.MaxValue, "0 1 2 3 4"), (int.MaxValue, int.MaxValue, "") })
        {
            var page = await Store.ReadConversationAsync("t1", from, limit, Stop);
            Assert.Equal(5, page.Count);
            Assert.Equal(expected, string.Join(' ', page.Entries));
        }

        await Assert.ThrowsAnyAsync<ArgumentException>(async () => await Store.ReadConversationAsync("t1", -1, 1, Stop));
        await Assert.ThrowsAnyAsync<ArgumentException>(async () => await Store.ReadConversationAsync("t1", 0, 0, Stop));
    }

    [Fact]
    public async Task Conversations_of_threads_are_apart()
    {
        var host = await JoinAsync();
        foreach (var thread in new[] { "t1", "t2", "T1", "t" })
        {
            await host.AnswerAsync(Append(thread, await host.OpenAsync(thread), 0, $"\"{thread}\""));
        }

        foreach (var thread in new[] { "t1", "t2", "T1", "t" })
        {
            Assert.Equal([$"\"{thread}\""], await ReadAsync(thread));
        }
    }

    [Fact]
    public async Task Mail_is_acknowledged_with_it()
    {
        var host = await JoinAsync();
        var reader = await host.OpenAsync("t1");
        await EndTasksAsync(host, 3);

        await host.AnswerAsync(Append("t1", reader, 0, "0") with { AcknowledgeThrough = 2 });
        Assert.Equal([3], (await Store.ReadAsync("t1", reader)).Select(static item => item.Sequence));
        Assert.Equal(1, Store.MailDepth);

        // Beyond the last means the last, and 0 means none.
        await host.AnswerAsync(Append("t1", reader, 1));
        Assert.Equal([3], (await Store.ReadAsync("t1", reader)).Select(static item => item.Sequence));
        await host.AnswerAsync(Append("t1", reader, 1, "1") with { AcknowledgeThrough = long.MaxValue });
        Assert.Empty(await Store.ReadAsync("t1", reader));
        Assert.Equal(["0", "1"], await ReadAsync("t1"));
        Assert.Empty(await Store.ReadAllAsync(host, "t1"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(int.MaxValue - 1)]
    public async Task A_conversation_of_another_length_changes_nothing(int firstEntry)
    {
        var host = await JoinAsync();
        var reader = await host.OpenAsync("t1");
        await EndTasksAsync(host, 1);
        await AppendAsync(host, reader, 0, "0", "1");

        Assert.Equal(new ConversationMoved(2), await host.RefusalAsync(Append("t1", reader, firstEntry, "9") with { AcknowledgeThrough = 1 }));
        Assert.Equal(new ConversationMoved(2), await host.RefusalAsync(Append("t1", reader, firstEntry) with { AcknowledgeThrough = 1 }));

        Assert.Equal(["0", "1"], await ReadAsync("t1"));
        Assert.Single(await Store.ReadAsync("t1", reader));
    }

    [Fact]
    public async Task Only_the_reader_that_has_the_mailbox_writes()
    {
        var host = await JoinAsync("a");
        var other = await JoinAsync("b");
        Assert.Equal(ReaderRefused.Instance, await host.RefusalAsync(Append("t1", Guid.NewGuid(), 0, "0")));
        Assert.Equal(ReaderRefused.Instance, await host.RefusalAsync(Append("t1", Guid.Empty, 0, "0")));
        var reader = await host.OpenAsync("t1");
        await EndTasksAsync(host, 1);
        await AppendAsync(host, reader, 0, "0");

        var taker = await other.OpenAsync("t1");

        Assert.Equal(ReaderRefused.Instance, await host.RefusalAsync(Append("t1", reader, 1, "1") with { AcknowledgeThrough = 1 }));
        Assert.Equal(ReaderRefused.Instance, await host.RefusalAsync(Append("t1", reader, 9, "1")));
        Assert.Equal(["0"], await ReadAsync("t1"));
        Assert.Single(await Store.ReadAsync("t1", taker));
        Assert.Equal(new ConversationAppended(2), await other.AnswerAsync(Append("t1", taker, 1, "1")));
        await other.AnswerAsync(new CloseMailbox("t1", taker));
        Assert.Equal(ReaderRefused.Instance, await other.RefusalAsync(Append("t1", taker, 2, "2")));
    }

    [Fact]
    public async Task A_host_that_was_given_up_writes_nothing()
    {
        var host = await JoinAsync("a");
        var reader = await host.OpenAsync("t1");
        await (await JoinAsync("b")).AnswerAsync(new SettleHost(host.Fence));

        Assert.Equal(CommitStatus.Fenced, (await host.CommitAsync(Append("t1", reader, 0, "0"))).Status);
        Assert.Empty(await ReadAsync("t1"));
    }

    [Fact]
    public async Task Of_many_appends_to_one_place_one_lands()
    {
        var host = await JoinAsync();
        var reader = await host.OpenAsync("t1");

        var results = await Enumerable.Range(0, 200).Select(i => Task.Run(() => host.CommitAsync(Append("t1", reader, 0, $"{i}")), Stop)).AllWithin();

        Assert.Single(results, static result => result.Status == CommitStatus.Landed);
        Assert.All(
            results.Where(static result => result.Status != CommitStatus.Landed),
            static result => Assert.Equal([new ConversationMoved(1)], result.Answers));
        Assert.Single(await ReadAsync("t1"));
    }

    [Fact]
    public async Task A_batch_lands_with_its_append_or_not_at_all()
    {
        var host = await JoinAsync();
        var reader = await host.OpenAsync("t1");
        await host.AddAsync(name: "worker");

        var refused = await host.CommitAsync(Append("t1", reader, 0, "0"), StoreHost.Task(name: "worker"));
        var moved = await host.CommitAsync(StoreHost.Task(name: "other"), Append("t1", reader, 1, "0"));

        Assert.Equal([NotApplied.Instance, new AddRefused(SpawnError.DuplicateName)], refused.Answers);
        Assert.Equal([NotApplied.Instance, new ConversationMoved(0)], moved.Answers);
        Assert.Empty(await ReadAsync("t1"));
        var landed = await host.CommitAsync(Append("t1", reader, 0, "0"), StoreHost.Task(name: "other"));
        Assert.Equal(CommitStatus.Landed, landed.Status);
        Assert.Equal(["0"], await ReadAsync("t1"));
    }

    [Fact]
    public async Task Two_appends_to_one_conversation_in_one_batch_refuse_it()
    {
        var host = await JoinAsync();
        var reader = await host.OpenAsync("t1");

        Assert.Equal(CommitStatus.Refused, (await host.CommitAsync(Append("t1", reader, 0, "0"), Append("t1", reader, 0, "1"))).Status);
        Assert.Equal(CommitStatus.Refused, (await host.CommitAsync(Append("t1", reader, 0, "0"), Append("t1", reader, 1, "1"))).Status);

        Assert.Empty(await ReadAsync("t1"));
        await AppendAsync(host, reader, 0, "0");
        Assert.Equal(CommitStatus.Refused, (await host.CommitAsync(new ForgetConversation("t1"), Append("t1", reader, 1, "1"))).Status);
        Assert.Equal(["0"], await ReadAsync("t1"));
    }

    [Fact]
    public async Task A_conversation_outlives_the_process()
    {
        var host = await JoinAsync();
        var reader = await host.OpenAsync("t1");
        await EndTasksAsync(host, 2);
        await host.AnswerAsync(Append("t1", reader, 0, "{\"a\": 1}", "2") with { AcknowledgeThrough = 1 });
        await ReopenAsync();
        Assert.Equal(["{\"a\": 1}", "2"], await ReadAsync("t1"));
        host = await JoinAsync("next");
        reader = await host.OpenAsync("t1");

        Assert.Equal(new ConversationMoved(2), await host.RefusalAsync(Append("t1", reader, 0, "0")));
        Assert.Equal(new ConversationAppended(3), await AppendAsync(host, reader, 2, "3"));

        Assert.Equal(["{\"a\": 1}", "2", "3"], await ReadAsync("t1"));
        Assert.Equal([2], (await Store.ReadAsync("t1", reader)).Select(static item => item.Sequence));
    }

    [Fact]
    public async Task Pruning_leaves_it_and_forgetting_takes_it()
    {
        var host = await JoinAsync();
        var reader = await host.OpenAsync("t1");
        var other = await host.OpenAsync("t2");
        await EndTasksAsync(host, 1);
        await AppendAsync(host, reader, 0, "0", "1");
        await host.AnswerAsync(Append("t2", other, 0, "9"));
        await host.AnswerAsync(new PruneTasks(host.Now.AddDays(1)));
        Assert.Equal(["0", "1"], await ReadAsync("t1"));

        Assert.Equal(new ConversationForgotten(2), await host.AnswerAsync(new ForgetConversation("t1")));
        Assert.Equal(new ConversationForgotten(0), await host.AnswerAsync(new ForgetConversation("t1")));
        Assert.Equal(new ConversationForgotten(0), await host.AnswerAsync(new ForgetConversation("nobody")));

        Assert.Equal(0, (await Store.ReadConversationAsync("t1", 0, 10, Stop)).Count);
        Assert.Equal(["9"], await ReadAsync("t2"));
        Assert.Single(await Store.ReadAsync("t1", reader));
        Assert.Equal(new ConversationMoved(0), await host.RefusalAsync(Append("t1", reader, 2, "2")));
        Assert.Equal(new ConversationAppended(1), await AppendAsync(host, reader, 0, "\"again\""));
        await ReopenAsync();
        Assert.Equal(["\"again\""], await ReadAsync("t1"));
    }

    [Fact]
    public async Task An_agent_that_continues_another_reads_and_writes_its_conversation()
    {
        var host = await JoinAsync();
        var reader = Guid.NewGuid();
        var agent = await host.AddAgentAsync("t1", "at", reader);
        await host.AnswerAsync(Append("at", reader, 0, "0"));
        await host.FinishAsync(agent);
        Assert.Equal(ReaderRefused.Instance, await host.RefusalAsync(Append("at", reader, 1, "1")));

        var next = Guid.NewGuid();
        await host.AnswerAsync(StoreHost.Task() with { AgentThreadId = "at", AgentReader = next, Continues = agent });

        Assert.Equal(["0"], await ReadAsync("at"));
        Assert.Equal(new ConversationAppended(2), await host.AnswerAsync(Append("at", next, 1, "1")));
    }

    private static AppendConversation Append(string thread, Guid reader, int firstEntry, params string[] entries) =>
        new(thread, reader, firstEntry, [.. entries.Select(Mailbag.Json)]);

    private static Task<MutationAnswer> AppendAsync(StoreHost host, Guid reader, int firstEntry, params string[] entries) =>
        host.AnswerAsync(Append("t1", reader, firstEntry, entries));

    private static async Task EndTasksAsync(StoreHost host, int count)
    {
        for (var i = 0; i < count; i++)
        {
            await host.FinishAsync(await host.AddAsync());
        }
    }

    private async Task<IEnumerable<string>> ReadAsync(string thread) =>
        (await Store.ReadConversationAsync(thread, 0, 1_000, Stop)).Entries.Select(static entry => entry.GetRawText());
}
