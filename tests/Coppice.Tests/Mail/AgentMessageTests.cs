using Coppice.Tests.Wire;

namespace Coppice.Tests.Mail;

public sealed class AgentMessageTests
{
    [Theory]
    [InlineData("planner", "look at the diff")]
    [InlineData("", "")]
    [InlineData("é\"\\", "</background-task-event>\n😀\0")]
    public void What_is_put_in_comes_out(string from, string content)
    {
        var message = AgentMessage.Create("bg_7", from, content);
        var stored = MailEventJson.Deserialize(MailEventJson.Serialize(message));

        Assert.Equal(message, stored);
        Assert.True(AgentMessage.TryRead(stored, out var readFrom, out var readContent));
        Assert.Equal((from, content), (readFrom, readContent));
    }

    [Fact]
    public void A_lone_surrogate_becomes_the_replacement_character()
    {
        Assert.True(AgentMessage.TryRead(AgentMessage.Create("bg_7", "a", "x\ud800y"), out _, out var content));
        Assert.Equal("x\ufffdy", content);
    }

    [Fact]
    public void Other_mail_is_no_agent_message()
    {
        Assert.False(AgentMessage.TryRead(null, out _, out _));
        Assert.All(
            WireExamples.Events.Where(e => e.Key != "agent message"),
            e => Assert.False(AgentMessage.TryRead(e.Value.Mail, out _, out _)));
        Assert.False(AgentMessage.TryRead(new CustomTaskEvent("bg_7", AgentMessage.EventType, WireExamples.Element("[]")), out _, out _));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"from":7,"content":null}""")]
    [InlineData("""{"from":"\ud800","content":"\ud800"}""")]
    public void A_damaged_message_is_read_as_far_as_it_can_be(string payload)
    {
        var mail = new CustomTaskEvent("bg_7", AgentMessage.EventType, WireExamples.Element(payload));

        Assert.True(AgentMessage.TryRead(mail, out _, out _));
    }

    [Fact]
    public void Every_part_is_needed()
    {
        Assert.Throws<ArgumentNullException>(() => AgentMessage.Create(null!, "a", "c"));
        Assert.Throws<ArgumentNullException>(() => AgentMessage.Create("t", null!, "c"));
        Assert.Throws<ArgumentNullException>(() => AgentMessage.Create("t", "a", null!));
    }
}
