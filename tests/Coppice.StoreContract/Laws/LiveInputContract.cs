using System.Text.Json;

namespace Coppice.StoreContract;

/// <summary>Live input: a user's messages to a thread, in order, bounded, kept byte for byte, waking.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class LiveInputContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    private const string Hello = """[ {"role":"user", "content":"hello 🌳 \u0041", "id": 1.0e2 } ]""";

    [Fact]
    public async Task Input_is_mail_of_its_thread_in_order_and_byte_for_byte()
    {
        var manager = await StartAsync();
        await using var inbox = await manager.OpenInboxAsync("t1", Stop);

        Assert.Equal(new InputReceipt(SendResult.Delivered, 1), await PostAsync(manager, "t1", Hello));
        Assert.Equal(new InputReceipt(SendResult.Delivered, 2), await PostAsync(manager, "t1", """[{"role":"user","content":["a"]},{"role":"system","content":null}]"""));
        Assert.Equal(new InputReceipt(SendResult.Delivered, 1), await PostAsync(manager, "t2", Hello));

        var items = await inbox.ReadAsync(2);
        Assert.Equal([1, 2], items.Select(static item => item.Sequence));
        Assert.Equal(
            [Hello, """[{"role":"user","content":["a"]},{"role":"system","content":null}]"""],
            items.Select(static item => ((LiveInput)item.Event).Messages.GetRawText()));
        Assert.Empty(await inbox.DrainAsync(Stop));
    }

    [Fact]
    public async Task Input_wakes_a_thread_that_nobody_reads()
    {
        var woken = new TaskCompletionSource<string>();
        var manager = await StartAsync(options => options.OnUnreadMail = (threadId, _) =>
        {
            woken.TrySetResult(threadId);
            return default;
        });

        await PostAsync(manager, "t1", Hello);

        Assert.Equal("t1", await woken.Task.Within());
        Assert.Equal(["t1"], await Store.ListThreadsWithUnreadMailAsync(Stop));
    }

    [Fact]
    public async Task A_reader_on_another_host_gets_it()
    {
        var manager = await StartAsync();
        var other = await StartAsync();
        await using var inbox = await other.OpenInboxAsync("t1", Stop);
        var next = inbox.ReadAsync(Stop).AsTask();

        await PostAsync(manager, "t1", Hello);

        Assert.IsType<LiveInput>((await next.Within()).Event);
    }

    [Fact]
    public async Task A_mailbox_takes_as_many_unread_messages_as_it_may()
    {
        var manager = await StartAsync(static options => options.MaxUnreadMessages = 2);
        await PostAsync(manager, "t1", Hello);
        await PostAsync(manager, "t1", Hello);
        Assert.Equal(new InputReceipt(SendResult.InboxFull, 0), await PostAsync(manager, "t1", Hello));
        Assert.Equal(SendResult.Delivered, (await PostAsync(manager, "t2", Hello)).Result);
        await using var inbox = await manager.OpenInboxAsync("t1", Stop);
        Assert.Equal(SendResult.InboxFull, (await PostAsync(manager, "t1", Hello)).Result);

        await inbox.ReadAsync(Stop).Within();

        Assert.Equal(new InputReceipt(SendResult.Delivered, 3), await PostAsync(manager, "t1", Hello));
        Assert.Equal(SendResult.InboxFull, (await PostAsync(manager, "t1", Hello)).Result);
    }

    [Fact]
    public async Task Ends_of_tasks_do_not_fill_the_mailbox()
    {
        var manager = await StartAsync(static options => options.MaxUnreadMessages = 1);
        await manager.WaitAsync(await manager.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within(), Stop).Within();

        Assert.Equal(new InputReceipt(SendResult.Delivered, 2), await PostAsync(manager, "t1", Hello));
    }

    [Fact]
    public async Task Input_outlives_the_process_and_comes_again_until_it_is_acknowledged()
    {
        var manager = await StartAsync();
        await PostAsync(manager, "t1", Hello);
        await manager.DisposeAsync().Within();
        await ReopenAsync();

        var next = await StartAsync();
        var inbox = await next.OpenInboxAsync("t1", Stop);
        var item = await inbox.ReadAsync(Stop).Within();
        Assert.Equal(Hello, ((LiveInput)item.Event).Messages.GetRawText());
        await inbox.DisposeAsync();
        await using var again = await next.OpenInboxAsync("t1", Stop);
        Assert.Equal(item, await again.ReadAsync(Stop).Within());
        await again.AckAsync(item.Sequence, Stop).Within();
        Assert.Equal(0, Store.MailDepth);
    }

    [Fact]
    public async Task Input_to_an_agents_thread_is_no_dead_letter_and_comes_to_the_agent_that_continues()
    {
        var manager = await StartAsync();
        var first = await manager.SpawnAgentAsync("t1", static async agent =>
        {
            await agent.Manager.PostInputAsync(agent.ThreadId, Mailbag.Json(Hello));
            return TaskOutcome.Success("done");
        }, cancellationToken: Stop).Within();
        var ended = await manager.WaitAsync(first, Stop).Within();
        Assert.Empty(await manager.ListDeadLettersAsync(ended.AgentThreadId!, Stop));

        var next = await manager.SpawnAgentAsync(
            "t1",
            static async agent => TaskOutcome.Success(((LiveInput)(await agent.Inbox.ReadAsync(agent.CancellationToken)).Event).Messages.GetArrayLength()),
            new SpawnOptions { Continues = first }, Stop).Within();

        Assert.Equal("1", (await manager.WaitAsync(next, Stop).Within()).Result?.GetRawText());
    }

    [Theory]
    [InlineData(FaultMoment.AfterCommit)]
    [InlineData(FaultMoment.AfterCommitUnseen)]
    public async Task Input_whose_answer_was_lost_is_there_once(FaultMoment moment)
    {
        var store = new FaultyStore(Store);
        var manager = await StartAsync(store: store);
        store.Fail<PostInput>(moment);

        Assert.Equal(new InputReceipt(SendResult.Delivered, 1), await PostAsync(manager, "t1", Hello));

        await using var inbox = await manager.OpenInboxAsync("t1", Stop);
        Assert.Single(await inbox.DrainAsync(Stop));
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("""{"role":"user","content":"x"}""")]
    [InlineData("""["hello"]""")]
    [InlineData("""[null]""")]
    [InlineData("""[{"role":"user"}]""")]
    [InlineData("""[{"content":"x"}]""")]
    [InlineData("""[{"role":1,"content":"x"}]""")]
    [InlineData("""[{"Role":"user","content":"x"}]""")]
    [InlineData("""[{"role":"user","content":"x"},{"role":"user"}]""")]
    [InlineData("""[{"\ud800":1}]""")]
    public async Task What_is_no_message_is_refused_before_any_io(string json)
    {
        var store = new FaultyStore(Store);
        var manager = await StartAsync(store: store);
        var commits = store.Commits;

        await Assert.ThrowsAsync<ArgumentException>(() => PostAsync(manager, "t1", json));

        Assert.Equal(commits, store.Commits);
    }

    [Fact]
    public async Task What_is_too_long_or_no_json_is_refused_before_any_io()
    {
        var store = new FaultyStore(Store);
        var manager = await StartAsync(static options => options.MaxMessageBytes = 64, store);
        var commits = store.Commits;
        static string Of(int length) => $$"""[{"role":"user","content":"{{new string('x', length - 30)}}"}]""";

        var thrown = await Assert.ThrowsAsync<ArgumentException>(() => PostAsync(manager, "t1", Of(65)));
        Assert.Contains("65 bytes; MaxMessageBytes is 64", thrown.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArgumentException>(() => manager.PostInputAsync("t1", default(JsonElement), Stop).Within());
        await Assert.ThrowsAsync<ArgumentException>(() => PostAsync(manager, "t1", $$"""[{"role":"user","content":{{new string('[', 57)}}{{new string(']', 57)}}}]"""));
        await Assert.ThrowsAsync<ArgumentException>(() => PostAsync(manager, "t" + (char)0xD800, Hello));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => manager.PostInputAsync("t1", Mailbag.Json(Hello), new CancellationToken(true)).Within());

        Assert.Equal(commits, store.Commits);
        Assert.Equal(SendResult.Delivered, (await PostAsync(manager, "t1", Of(64))).Result);
    }

    private static Task<InputReceipt> PostAsync(BackgroundTaskManager manager, string thread, string json) =>
        manager.PostInputAsync(thread, Mailbag.Json(json), Stop).Within();
}
