using System.Text.Json;
using Coppice.Tests.Wire;

namespace Coppice.Tests.Mail;

public sealed class MailEventReadingTests
{
    [Theory]
    [InlineData("""{"task_id":"bg_7","error":"boom","kind":"failed"}""")]
    [InlineData("""{"error":"boom","kind":"failed","later":{"kind":"completed"},"task_id":"bg_7"}""")]
    [InlineData("""{"error":"boom","\u006bind":"failed","task_id":"bg_7"}""")]
    public void The_kind_may_stand_anywhere_and_unknown_fields_are_ignored(string json) =>
        Assert.Equal(new TaskFailed("bg_7", "boom"), JsonSerializer.Deserialize<MailEvent>(json));

    [Theory]
    [InlineData("""{"kind":"rescheduled","task_id":"bg_7","at":[1.0e5]}""", "rescheduled", "bg_7")]
    [InlineData("""{"kind":"rescheduled","b":1,"a":2}""", "rescheduled", "")]
    [InlineData("""{"kind":"Completed","task_id":"bg_7"}""", "Completed", "bg_7")]
    [InlineData("""{"kind":"rescheduled","task_id":7}""", "rescheduled", "")]
    [InlineData("""{"kind":7}""", "", "")]
    [InlineData("""{"kind":null}""", "", "")]
    [InlineData("{}", "", "")]
    public void An_unknown_kind_is_a_custom_event_that_holds_the_whole_event(string json, string kind, string taskId)
    {
        var mail = Assert.IsType<CustomTaskEvent>(JsonSerializer.Deserialize<MailEvent>(json));

        Assert.Equal((taskId, kind, json), (mail.TaskId, mail.EventType, mail.Payload.GetRawText()));
        Assert.False(mail.IsTerminal);
        Assert.Equal(mail, JsonSerializer.Deserialize<CustomTaskEvent>(json));
    }

    [Fact]
    public void Missing_fields_read_as_their_empty_values()
    {
        Assert.Equal(new TaskCompleted("", null), MailEventJson.Deserialize("""{"kind":"completed"}"""));
        Assert.Equal(new TaskFailed("", ""), MailEventJson.Deserialize("""{"kind":"failed"}"""));
        Assert.Equal(new TaskCancelled(""), MailEventJson.Deserialize("""{"kind":"cancelled"}"""));
        Assert.Equal(new ThreadMessage("", "", "", ""), MailEventJson.Deserialize("""{"kind":"message"}"""));
        Assert.Equal(new LiveInput(WireExamples.Element("[]")), MailEventJson.Deserialize("""{"kind":"messages"}"""));
        Assert.Equal(new LiveInput(WireExamples.Element("7")), MailEventJson.Deserialize("""{"kind":"messages","messages":7}"""));

        var custom = Assert.IsType<CustomTaskEvent>(MailEventJson.Deserialize("""{"kind":"custom"}"""));
        Assert.Equal(("", "", JsonValueKind.Null), (custom.TaskId, custom.EventType, custom.Payload.ValueKind));
    }

    [Fact]
    public void A_result_that_is_null_is_a_result_and_a_missing_one_is_none()
    {
        var withNull = (TaskCompleted)MailEventJson.Deserialize("""{"kind":"completed","task_id":"bg_7","result":null}""");
        var without = (TaskCompleted)MailEventJson.Deserialize("""{"kind":"completed","task_id":"bg_7"}""");

        Assert.Equal(JsonValueKind.Null, withNull.Result!.Value.ValueKind);
        Assert.Null(without.Result);
        Assert.NotEqual(withNull, without);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("1")]
    [InlineData("\"completed\"")]
    [InlineData("true")]
    public void What_is_no_object_is_a_json_error(string json)
    {
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<MailEvent>(json));
        Assert.Throws<JsonException>(() => MailEventJson.Deserialize(json));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{")]
    [InlineData("""{"kind":"failed"} x""")]
    [InlineData("""{"kind":"failed","error":"\ud800"}""")]
    [InlineData("""{"kind":"\udfff"}""")]
    public void Broken_text_is_a_json_error(string json) =>
        Assert.ThrowsAny<JsonException>(() => MailEventJson.Deserialize(json));
}
