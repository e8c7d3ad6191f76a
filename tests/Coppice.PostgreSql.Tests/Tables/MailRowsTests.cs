using System.Text.Json;
using Coppice.PostgreSql.Tests.Support;
using Npgsql;

namespace Coppice.PostgreSql.Tests.Tables;

public sealed class MailRowsTests
{
    [Fact]
    public async Task Acknowledged_mail_is_gone_and_counted_by_class_and_only_that_of_the_thread()
    {
        await using var rows = await RowsFixture.CreateAsync();
        var connection = rows.Begin();
        var mail = new MailRows(connection);
        mail.Add(1, 1, MailClass.Message, null, RowsFixture.Message("a"));
        mail.Add(1, 2, MailClass.Message, 7, RowsFixture.Message("b"));
        mail.Add(1, 3, MailClass.Terminal, null, RowsFixture.Message("c"));
        mail.Add(1, 4, MailClass.Custom, null, RowsFixture.Message("d"));
        mail.Add(2, 1, MailClass.Message, null, RowsFixture.Message("e"));

        Assert.Equal(new MailCounts(0, 1, 2), mail.Acknowledge(1, 3));
        Assert.Equal(default, mail.Acknowledge(1, 3));
        Assert.Equal(new MailCounts(1, 0, 0), mail.Acknowledge(1, long.MaxValue));
        Assert.Equal(new MailCounts(0, 0, 1), mail.Acknowledge(2, 1));
        Assert.Equal([1, 2], connection.Locked.Order());
    }

    [Fact]
    public async Task A_piece_is_taken_once_as_it_was_put_in()
    {
        await using var rows = await RowsFixture.CreateAsync();
        var mail = new MailRows(rows.Begin());
        var message = RowsFixture.Message("a\0b", RowsFixture.Noon) with { Content = "\0 \ud83d\ude00 \"" };
        mail.Add(1, 5, MailClass.Message, null, message);

        Assert.Null(mail.Take(2, 5));
        Assert.Null(mail.Take(1, 4));
        Assert.Equal(MailEventJson.Serialize(message), mail.Take(1, 5));
        Assert.Null(mail.Take(1, 5));
    }

    [Fact]
    public async Task What_is_buried_are_the_messages_to_that_agent_in_order()
    {
        await using var rows = await RowsFixture.CreateAsync();
        var mail = new MailRows(rows.Begin());
        foreach (var sequence in (long[])[12, 3, 100, 7])
        {
            mail.Add(1, sequence, MailClass.Message, 7, RowsFixture.Message($"m{sequence}"));
        }

        mail.Add(1, 4, MailClass.Message, 8, RowsFixture.Message("to another agent"));
        mail.Add(1, 5, MailClass.Message, null, RowsFixture.Message("to the thread"));
        mail.Add(1, 6, MailClass.Custom, 7, RowsFixture.Message("no message"));
        mail.Add(2, 1, MailClass.Message, 7, RowsFixture.Message("elsewhere"));

        Assert.Equal(
            ((long[])[3, 7, 12, 100]).Select(sequence => (sequence, MailEventJson.Serialize(RowsFixture.Message($"m{sequence}")))), mail.Bury(1, 7));
        Assert.Empty(mail.Bury(1, 7));
        Assert.Equal(new MailCounts(1, 0, 2), mail.Acknowledge(1, long.MaxValue));
    }

    [Fact]
    public async Task A_conversation_is_forgotten_as_a_whole_and_can_begin_again()
    {
        await using var rows = await RowsFixture.CreateAsync();
        var connection = rows.Begin();
        var conversations = new ConversationRows(connection);
        var text = connection.Prepare("SELECT json FROM {schema}.conversations WHERE owner_thread_id = $1 ORDER BY entry");
        using var entry = JsonDocument.Parse("""{ "kept":  "as it \u0000 was written" }""");
        conversations.Add(1, 0, entry.RootElement);
        conversations.Add(1, 1, entry.RootElement);
        conversations.Add(2, 0, entry.RootElement);

        conversations.Forget(1);
        conversations.Add(1, 0, entry.RootElement);

        Assert.Equal([entry.RootElement.GetRawText()], Texts(text.Bind(1)));
        Assert.Equal([entry.RootElement.GetRawText()], Texts(text.Bind(2)));
        conversations.Add(2, 0, entry.RootElement);
        Assert.Throws<PostgresException>(() => connection.Commit());
    }

    private static List<string> Texts(Statement statement)
    {
        var texts = new List<string>();
        using var rows = statement.Rows();
        while (rows.Next())
        {
            texts.Add(rows.Text(0));
        }

        return texts;
    }
}
