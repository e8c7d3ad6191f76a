using System.Text.Json;

namespace Coppice.StoreContract;

/// <summary>Conversations as a manager gives them: what a model was told and what it answered are stored together, once, or not at all.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class ConversationsContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    [Fact]
    public async Task What_was_appended_is_read_in_order_across_pages()
    {
        var manager = await StartAsync();
        await using var inbox = await manager.OpenInboxAsync("t1", Stop);
        var all = Enumerable.Range(0, 200).Select(static i => Mailbag.Json($"{i}")).ToList();

        await inbox.AppendAsync(0, all[..1], cancellationToken: Stop).Within();
        await inbox.AppendAsync(1, all[1..128], cancellationToken: Stop).Within();
        Assert.Equal(128, await manager.ReadConversationAsync("t1", Stop).CountAsync(Stop));
        await inbox.AppendAsync(128, all[128..], cancellationToken: Stop).Within();
        await inbox.AppendAsync(200, [], cancellationToken: Stop).Within();

        Assert.Equal(Enumerable.Range(0, 200), await manager.ReadConversationAsync("t1", Stop).Select(static entry => entry.GetInt32()).ToListAsync(Stop));
        Assert.Empty(await manager.ReadConversationAsync("t2", Stop).ToListAsync(Stop));
    }

    [Fact]
    public async Task The_mail_goes_with_the_append()
    {
        var manager = await StartAsync();
        var inbox = await manager.OpenInboxAsync("t1", Stop);
        await EndTasksAsync(manager, 2);
        var first = (await inbox.DrainAsync(Stop))[0];

        await inbox.AppendAsync(0, [Mailbag.Json("0")], first.Sequence, Stop).Within();
        await inbox.DisposeAsync();

        await using var again = await manager.OpenInboxAsync("t1", Stop);
        Assert.Equal([2], (await again.DrainAsync(Stop)).Select(static item => item.Sequence));
    }

    [Theory]
    [InlineData(FaultMoment.AfterCommit)]
    [InlineData(FaultMoment.AfterCommitUnseen)]
    public async Task An_append_whose_answer_was_lost_is_stored_once(FaultMoment moment)
    {
        var store = new FaultyStore(Store);
        var manager = await StartAsync(store: store);
        await using var inbox = await manager.OpenInboxAsync("t1", Stop);
        await EndTasksAsync(manager, 1);
        store.Fail<AppendConversation>(moment);

        await inbox.AppendAsync(0, [Mailbag.Json("0")], 1, Stop).Within();

        Assert.Equal(["0"], await ReadAsync(manager));
        Assert.Equal(0, Store.MailDepth);
    }

    [Theory]
    [InlineData(FaultMoment.BeforeCommit)]
    [InlineData(FaultMoment.KnownBeforeCommit)]
    public async Task An_append_that_was_not_stored_acknowledges_nothing_and_can_be_tried_again(FaultMoment moment)
    {
        var store = new FaultyStore(Store);
        var manager = await StartAsync(store: store);
        await using var inbox = await manager.OpenInboxAsync("t1", Stop);
        await EndTasksAsync(manager, 1);
        store.Fail<AppendConversation>(moment);

        await Assert.ThrowsAsync<TaskStoreException>(() => inbox.AppendAsync(0, [Mailbag.Json("0")], 1, Stop).Within());
        Assert.Empty(await ReadAsync(manager));
        Assert.Equal(1, Store.MailDepth);

        await inbox.AppendAsync(0, [Mailbag.Json("0")], 1, Stop).Within();
        Assert.Equal(["0"], await ReadAsync(manager));
        Assert.Equal(0, Store.MailDepth);
    }

    [Fact]
    public async Task Whoever_cannot_know_whether_an_append_landed_learns_it_from_a_second_try()
    {
        var store = new FaultyStore(Store);
        var manager = await StartAsync(store: store);
        await using var inbox = await manager.OpenInboxAsync("t1", Stop);
        await EndTasksAsync(manager, 1);
        store.Fail<AppendConversation>(FaultMoment.AfterCommitUnseen);
        store.FailLookups(100);
        await Assert.ThrowsAsync<TaskStoreException>(() => inbox.AppendAsync(0, [Mailbag.Json("0")], 1, Stop).Within());

        var conflict = await Assert.ThrowsAsync<ConversationConflictException>(() => inbox.AppendAsync(0, [Mailbag.Json("0")], 1, Stop).Within());

        Assert.Equal((1, "t1", "conversation_conflict"), (conflict.Count, conflict.ThreadId, conflict.Code));
        Assert.Equal(["0"], await ReadAsync(manager));
        Assert.Equal(0, Store.MailDepth);
    }

    [Fact]
    public async Task A_conflict_changes_nothing_and_the_inbox_stays_open()
    {
        var manager = await StartAsync();
        await using var inbox = await manager.OpenInboxAsync("t1", Stop);
        await EndTasksAsync(manager, 1);
        await inbox.AppendAsync(0, [Mailbag.Json("0")], cancellationToken: Stop).Within();

        var conflict = await Assert.ThrowsAsync<ConversationConflictException>(() => inbox.AppendAsync(2, [Mailbag.Json("9")], 1, Stop).Within());

        Assert.Equal(1, conflict.Count);
        Assert.Contains("1 entries, not 2", conflict.Message, StringComparison.Ordinal);
        Assert.Equal(["0"], await ReadAsync(manager));
        Assert.Equal(1, Store.MailDepth);
        await inbox.AppendAsync(conflict.Count, [Mailbag.Json("1")], 1, Stop).Within();
    }

    [Fact]
    public async Task A_reader_whose_inbox_was_taken_over_writes_nothing()
    {
        var manager = await StartAsync();
        var other = await StartAsync();
        var inbox = await manager.OpenInboxAsync("t1", Stop);
        await EndTasksAsync(manager, 1);
        var item = await inbox.ReadAsync(Stop).Within();

        await using var taker = await other.OpenInboxAsync("t1", Stop);

        await Assert.ThrowsAsync<InboxTakenOverException>(() => inbox.AppendAsync(0, [Mailbag.Json("0")], item.Sequence, Stop).Within());
        await Assert.ThrowsAsync<InboxTakenOverException>(() => inbox.AppendAsync(7, [Mailbag.Json("0")], item.Sequence, Stop).Within());
        Assert.Empty(await ReadAsync(manager));
        Assert.Equal(item, await taker.ReadAsync(Stop).Within());
        await taker.AppendAsync(0, [Mailbag.Json("1")], item.Sequence, Stop).Within();
        Assert.Equal(["1"], await ReadAsync(manager));
    }

    [Fact]
    public async Task A_reader_that_is_taken_over_between_its_read_and_its_append_writes_nothing()
    {
        var store = new FaultyStore(Store);
        var manager = await StartAsync(store: store);
        var other = await StartAsync();
        var inbox = await manager.OpenInboxAsync("t1", Stop);
        await EndTasksAsync(manager, 1);
        var hold = store.Hold<AppendConversation>(FaultMoment.BeforeCommit);
        var append = inbox.AppendAsync(0, [Mailbag.Json("0")], 1, Stop).AsTask();
        await hold.Reached.WaitAsync();
        await using var taker = await other.OpenInboxAsync("t1", Stop);
        hold.Release();

        await Assert.ThrowsAsync<InboxTakenOverException>(() => append.Within());

        Assert.Empty(await ReadAsync(manager));
        Assert.Single(await taker.DrainAsync(Stop));
    }

    [Fact]
    public async Task What_the_next_process_finds_is_the_conversation_and_the_mail_that_it_does_not_cover()
    {
        var manager = await StartAsync();
        var inbox = await manager.OpenInboxAsync("t1", Stop);
        await EndTasksAsync(manager, 3);
        await inbox.AppendAsync(0, [Mailbag.Json("""{"role":"user","content":"one"}"""), Mailbag.Json("""{"role":"assistant","content":"two"}""")], 2, Stop).Within();
        await manager.DisposeAsync().Within();
        await ReopenAsync();

        var next = await StartAsync();
        await using var reopened = await next.OpenInboxAsync("t1", Stop);

        Assert.Equal(["""{"role":"user","content":"one"}""", """{"role":"assistant","content":"two"}"""], await ReadAsync(next));
        Assert.Equal([3], (await reopened.DrainAsync(Stop)).Select(static item => item.Sequence));
    }

    [Fact]
    public async Task An_agent_that_continues_another_sees_its_conversation()
    {
        var manager = await StartAsync();
        var first = await manager.SpawnAgentAsync("t1", static async agent =>
        {
            await agent.Inbox.AppendAsync(0, [Mailbag.Json("\"asked back\"")]);
            return TaskOutcome.Success("asked back");
        }, cancellationToken: Stop).Within();
        await manager.WaitAsync(first, Stop).Within();

        var next = await manager.SpawnAgentAsync("t1", static async agent =>
        {
            var seen = await agent.Manager.ReadConversationAsync(agent.ThreadId).ToListAsync();
            await agent.Inbox.AppendAsync(seen.Count, [Mailbag.Json("\"went on\"")]);
            return TaskOutcome.Success(seen.Count);
        }, new SpawnOptions { Continues = first }, Stop).Within();

        var ended = await manager.WaitAsync(next, Stop).Within();
        Assert.Equal("1", ended.Result?.GetRawText());
        Assert.Equal(["\"asked back\"", "\"went on\""], await ReadAsync(manager, ended.AgentThreadId!));
    }

    [Fact]
    public async Task Forgetting_tells_how_much_there_was()
    {
        var manager = await StartAsync();
        await using var inbox = await manager.OpenInboxAsync("t1", Stop);
        await inbox.AppendAsync(0, [Mailbag.Json("0"), Mailbag.Json("1")], cancellationToken: Stop).Within();

        Assert.Equal(2, await manager.ForgetConversationAsync("t1", Stop));
        Assert.Equal(0, await manager.ForgetConversationAsync("t1", Stop));

        Assert.Empty(await ReadAsync(manager));
        await inbox.AppendAsync(0, [Mailbag.Json("2")], cancellationToken: Stop).Within();
    }

    [Fact]
    public async Task What_cannot_be_kept_is_refused_before_any_io_naming_the_entry_and_the_limit()
    {
        var store = new FaultyStore(Store);
        var manager = await StartAsync(
            static options =>
            {
                options.MaxConversationEntryBytes = 16;
                options.MaxConversationEntries = 3;
            },
            store);
        await using var inbox = await manager.OpenInboxAsync("t1", Stop);
        await inbox.AppendAsync(0, [Mailbag.Json("0"), Mailbag.Json("1")], cancellationToken: Stop).Within();
        var commits = store.Commits;

        async Task<string> RefusedAsync(int firstEntry, params JsonElement[] entries) =>
            (await Assert.ThrowsAnyAsync<ArgumentException>(() => inbox.AppendAsync(firstEntry, entries, 0, Stop).Within())).Message;

        Assert.Contains("entry 2 has 18 bytes; MaxConversationEntryBytes is 16", await RefusedAsync(2, Mailbag.Json("\"1234567890abcdé\"")), StringComparison.Ordinal);
        Assert.Contains("4 entries; MaxConversationEntries is 3", await RefusedAsync(2, Mailbag.Json("2"), Mailbag.Json("3")), StringComparison.Ordinal);
        Assert.Contains("MaxConversationEntries is 3", await RefusedAsync(int.MaxValue, Mailbag.Json("2")), StringComparison.Ordinal);
        Assert.Contains("Entry 2", await RefusedAsync(2, default(JsonElement)), StringComparison.Ordinal);
        Assert.Contains("Entry 3", await RefusedAsync(2, Mailbag.Json("2"), Mailbag.Json(Nested(57))), StringComparison.Ordinal);
        await RefusedAsync(-1);
        await Assert.ThrowsAnyAsync<ArgumentException>(() => inbox.AppendAsync(2, null!, 0, Stop).Within());
        await Assert.ThrowsAnyAsync<ArgumentException>(() => inbox.AppendAsync(2, [], -1, Stop).Within());
        Assert.Throws<ArgumentException>(() => manager.ReadConversationAsync("t\0", Stop));
        await Assert.ThrowsAsync<ArgumentException>(() => manager.ForgetConversationAsync("", Stop).Within());

        Assert.Equal(commits, store.Commits);
        await inbox.AppendAsync(2, [Mailbag.Json("\"1234567890abcd\"")], cancellationToken: Stop).Within();
    }

    [Fact]
    public async Task A_disposed_inbox_and_a_cancelled_token_write_nothing()
    {
        var manager = await StartAsync();
        var inbox = await manager.OpenInboxAsync("t1", Stop);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => inbox.AppendAsync(0, [Mailbag.Json("0")], 0, new CancellationToken(true)).Within());
        await inbox.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => inbox.AppendAsync(0, [Mailbag.Json("0")], 0, Stop).Within());
        Assert.Empty(await ReadAsync(manager));

        await manager.DisposeAsync().Within();
        Assert.Throws<ObjectDisposedException>(() => manager.ReadConversationAsync("t1", Stop));
    }

    private static string Nested(int depth) => new string('[', depth) + new string(']', depth);

    private static async Task EndTasksAsync(BackgroundTaskManager manager, int count)
    {
        for (var i = 0; i < count; i++)
        {
            await manager.WaitAsync(await manager.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within(), Stop).Within();
        }
    }

    private static async Task<IEnumerable<string>> ReadAsync(BackgroundTaskManager manager, string thread = "t1") =>
        await manager.ReadConversationAsync(thread, Stop).Select(static entry => entry.GetRawText()).ToListAsync(Stop);
}
