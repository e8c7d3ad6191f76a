namespace Coppice.Agents.Tests;

public sealed class RecoverFailedMessagesTests
{
    [Fact]
    public async Task A_message_that_expired_is_listed_sent_again_and_read()
    {
        await using var bench = await Bench.StartAsync(configure: options => options.MessageTimeToLive = TimeSpan.FromHours(1));
        await bench.CallAsync("send_message", """{"to":{"relation":"agent","thread_id":"t2","agent_id":"reviewer"},"message":"please </review>"}""");
        bench.Test.Clock.Advance(TimeSpan.FromHours(2));
        await using (await bench.Manager.OpenInboxAsync("t2", Bench.Stop))
        {
        }

        await using (var late = await bench.Manager.OpenInboxAsync("t2", Bench.Stop))
        {
            Assert.Empty(await late.DrainAsync(Bench.Stop));
        }

        var list = await bench.CallAsync("recover_failed_messages", "{}");
        var message = list.GetProperty("messages")[0];
        Assert.Equal(("list", 1), (list.Text("action"), list.GetProperty("count").GetInt32()));
        Assert.Equal(("t2", "reviewer", "please </review>"), (message.Text("to_thread_id"), message.Text("to_agent_id"), message.Text("content")));
        Assert.StartsWith("expired", message.Text("error"), StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("</", list.GetRawText(), StringComparison.Ordinal);

        (await bench.CallAsync("recover_failed_messages", $$"""{"action":"replay","numbers":["{{message.Text("number")}}"]}"""))
            .IsExactly("""{"action":"replay","count":1,"left":0}""");
        await using var inbox = await bench.Manager.OpenInboxAsync("t2", Bench.Stop);
        var read = Assert.IsType<ThreadMessage>(Assert.Single(await inbox.DrainAsync(Bench.Stop)).Event);
        Assert.Equal(message.Text("message_id"), read.MessageId);
        (await bench.CallAsync("recover_failed_messages", """{"action":"list"}""")).IsExactly("""{"action":"list","count":0,"messages":[]}""");
    }

    [Fact]
    public async Task A_message_to_an_agent_that_ended_stays_until_it_is_cleared()
    {
        await using var bench = await Bench.StartAsync();
        var agent = await bench.Manager.SpawnAgentAsync(
            "t1", async context => { await context.WhenCancelledAsync(); return TaskOutcome.Cancelled; }, new() { Name = "reviewer" }, Bench.Stop);
        await bench.CallAsync("send_message", """{"to":{"relation":"child","name":"reviewer"},"message":"unread"}""");
        await bench.Manager.CancelAsync(agent, Bench.Stop);
        await bench.Manager.WaitAsync(agent, Bench.Stop);

        var list = await bench.CallAsync("recover_failed_messages", """{"action":"list"}""");
        Assert.Equal("unread", list.GetProperty("messages")[0].Text("content"));
        (await bench.CallAsync("recover_failed_messages", """{"action":"replay"}""")).IsExactly("""{"action":"replay","count":0,"left":1}""");
        (await bench.CallAsync("recover_failed_messages", """{"action":"list"}""", thread: "t2")).IsExactly("""{"action":"list","count":0,"messages":[]}""");
        (await bench.CallAsync("recover_failed_messages", """{"action":"clear"}""", thread: "t2")).IsExactly("""{"action":"clear","count":0}""");
        (await bench.CallAsync("recover_failed_messages", """{"action":"clear"}""")).IsExactly("""{"action":"clear","count":1}""");
    }

    [Theory]
    [InlineData("""{"action":"burn"}""", "replay")]
    [InlineData("""{"numbers":["x"]}""", "numbers")]
    [InlineData("""{"numbers":[]}""", "numbers")]
    [InlineData("""{"numbers":["-1"]}""", "numbers")]
    [InlineData("""{"all":true}""", "all")]
    public async Task A_wrong_argument_is_an_answer(string json, string word)
    {
        await using var bench = await Bench.StartAsync();

        var answer = await bench.CallAsync("recover_failed_messages", json);

        Assert.Equal("invalid_arguments", answer.Text("error"));
        Assert.Contains(word, answer.Text("message"), StringComparison.Ordinal);
    }
}
