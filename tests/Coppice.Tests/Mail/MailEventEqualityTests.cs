using Coppice.Tests.Wire;

namespace Coppice.Tests.Mail;

public sealed class MailEventEqualityTests
{
    [Fact]
    public void No_two_examples_are_equal_and_each_equals_its_own_copy()
    {
        foreach (var (name, (mail, json)) in WireExamples.Events)
        {
            var copy = MailEventJson.Deserialize(json);
            Assert.Equal(mail, copy);
            Assert.Equal(mail.GetHashCode(), copy.GetHashCode());
            Assert.All(WireExamples.Events.Where(e => e.Key != name), other => Assert.NotEqual(mail, other.Value.Mail));
        }
    }

    [Fact]
    public void Every_part_of_an_event_counts()
    {
        var payload = WireExamples.Element("1");

        Assert.NotEqual(new TaskCompleted("a", payload), new TaskCompleted("b", payload));
        Assert.NotEqual(new TaskCompleted("a", payload), new TaskCompleted("a", WireExamples.Element("2")));
        Assert.NotEqual(new TaskFailed("a", "x"), new TaskFailed("a", "X"));
        Assert.NotEqual(new CustomTaskEvent("a", "e", payload), new CustomTaskEvent("b", "e", payload));
        Assert.NotEqual(new CustomTaskEvent("a", "e", payload), new CustomTaskEvent("a", "f", payload));
        Assert.NotEqual(new CustomTaskEvent("a", "e", payload), new CustomTaskEvent("a", "e", WireExamples.Element("\"1\"")));
        Assert.NotEqual(new ThreadMessage("m", "t", "a", "c"), new ThreadMessage("m", "t", "a", ""));
        Assert.NotEqual(new LiveInput(payload), new LiveInput(WireExamples.Element("2")));
        Assert.False(new LiveInput(payload).Equals((LiveInput?)null));
        Assert.False(new TaskCompleted("a", payload).Equals((TaskCompleted?)null));
        Assert.False(new CustomTaskEvent("a", "e", payload).Equals((CustomTaskEvent?)null));
    }

    [Fact]
    public void The_values_around_mail_are_equal_by_value()
    {
        Assert.Equal(new InboxItem(1, new TaskCancelled("a")), new InboxItem(1, new TaskCancelled("a")));
        Assert.Equal(new MessageSender("t", "a"), new MessageSender("t", "a"));
        Assert.Equal(new SendReceipt(SendResult.TaskTerminated, TaskState.Failed), new SendReceipt(SendResult.TaskTerminated, TaskState.Failed));
        Assert.NotEqual(new SendReceipt(SendResult.TaskTerminated, TaskState.Failed), new SendReceipt(SendResult.TaskTerminated, TaskState.Completed));
        Assert.Equal(new RestoreResult(1, 2, 3), new RestoreResult(1, 2, 3));
    }
}
