using System.Text.Json;
using Coppice.Tests.Wire;

namespace Coppice.Tests.Mail;

public sealed class MailEventJsonTests
{
    public static TheoryData<string> Events => WireExamples.EventNames;

    public static MatrixTheoryData<string, string> EventsAndOptions => new(WireExamples.Events.Keys, HostileOptions.ByName.Keys);

    [Theory]
    [MemberData(nameof(Events))]
    public void An_event_is_written_as_the_wire_format_has_it_whatever_the_static_type(string name)
    {
        var (mail, json) = WireExamples.Events[name];

        Assert.Equal(json, MailEventJson.Serialize(mail));
        Assert.Equal(json, JsonSerializer.Serialize(mail));
        Assert.Equal(json, JsonSerializer.Serialize<object>(mail));
        Assert.Equal(json, JsonSerializer.Serialize(mail, mail.GetType()));
        Assert.Equal($"[{json}]", JsonSerializer.Serialize<IEnumerable<MailEvent>>([mail]));
        if (mail is TaskEvent taskEvent)
        {
            Assert.Equal(json, JsonSerializer.Serialize(taskEvent));
        }
    }

    [Theory]
    [MemberData(nameof(Events))]
    public void An_event_is_read_back_by_its_own_type_and_by_every_base(string name)
    {
        var (mail, json) = WireExamples.Events[name];

        Assert.Equal(mail, MailEventJson.Deserialize(json));
        Assert.Equal(mail, JsonSerializer.Deserialize<MailEvent>(json));
        Assert.Equal(mail, JsonSerializer.Deserialize(json, mail.GetType()));
        if (mail is TaskEvent)
        {
            Assert.Equal(mail, JsonSerializer.Deserialize<TaskEvent>(json));
        }
    }

    [Theory]
    [MemberData(nameof(EventsAndOptions))]
    public void The_options_of_others_change_nothing(string name, string optionsName)
    {
        var (mail, json) = WireExamples.Events[name];
        var options = HostileOptions.ByName[optionsName];

        foreach (var written in new[]
        {
            JsonSerializer.Serialize(mail, options), JsonSerializer.Serialize<object>(mail, options), JsonSerializer.Serialize(mail, mail.GetType(), options),
        })
        {
            if (!options.WriteIndented)
            {
                Assert.Equal(json, written);
            }

            Assert.True(JsonElement.DeepEquals(WireExamples.Element(json), WireExamples.Element(written)), written);
            Assert.Equal(mail, JsonSerializer.Deserialize<MailEvent>(written, options));
        }
    }

    [Fact]
    public void An_event_of_another_kind_than_asked_for_is_a_json_error()
    {
        const string Failed = """{"kind":"failed","task_id":"bg_7","error":"boom"}""";

        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<TaskCompleted>(Failed));
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<ThreadMessage>(Failed));
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<TaskEvent>(WireExamples.Events["thread message"].Json));
    }

    [Fact]
    public void A_payload_that_is_no_json_is_a_json_error()
    {
        Assert.Throws<JsonException>(() => JsonSerializer.Serialize(new CustomTaskEvent("bg_7", "e", default)));
        Assert.Throws<JsonException>(() => JsonSerializer.Serialize(new TaskCompleted("bg_7", default(JsonElement))));
    }

    [Fact]
    public void Nothing_is_an_argument_error()
    {
        Assert.Throws<ArgumentNullException>(() => MailEventJson.Serialize(null!));
        Assert.Throws<ArgumentNullException>(() => MailEventJson.Deserialize(null!));
        Assert.Equal("null", JsonSerializer.Serialize<MailEvent?>(null));
        Assert.Null(JsonSerializer.Deserialize<MailEvent>("null"));
    }

    [Fact]
    public void An_inbox_item_carries_its_event_with_its_kind() =>
        Assert.Equal(
            """{"Sequence":3,"Event":{"kind":"cancelled","task_id":"bg_7"}}""",
            JsonSerializer.Serialize(new InboxItem(3, new TaskCancelled("bg_7"))));
}
