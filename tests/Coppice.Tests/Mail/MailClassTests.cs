using Coppice.Tests.Wire;

namespace Coppice.Tests.Mail;

public sealed class MailClassTests
{
    public static TheoryData<string, MailClass, bool> Classes => new()
    {
        { "completed", MailClass.Terminal, true },
        { "failed", MailClass.Terminal, true },
        { "cancelled", MailClass.Terminal, true },
        { "custom", MailClass.Custom, false },
        { "agent message", MailClass.Message, true },
        { "thread message", MailClass.Message, true },
        { "live input", MailClass.Message, true },
    };

    [Theory]
    [MemberData(nameof(Classes))]
    public void Ends_and_messages_wake_and_custom_events_do_not(string example, MailClass expected, bool wakes)
    {
        var mail = WireExamples.Events[example].Mail;

        Assert.Equal(expected, mail.GetClass());
        Assert.Equal(wakes, mail.GetClass().Wakes());
        Assert.Equal(expected == MailClass.Terminal, mail is TaskEvent { IsTerminal: true });
    }

    [Fact]
    public void Nothing_is_an_argument_error() => Assert.Throws<ArgumentNullException>(() => MailClassExtensions.GetClass(null!));
}
