using System.Text;
using System.Text.Json;
using Coppice.Tests.Wire;

namespace Coppice.Tests.Tasks;

public sealed class JsonValueTests
{
    private static readonly JsonDocumentOptions Lenient = new()
    {
        AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip, MaxDepth = 2000,
    };

    [Theory]
    [InlineData("""{"z":1,"a":2,"m":{"z":0,"b":0}}""")]
    [InlineData("[1.0e5,1E400,1e-400,-0,-0.0,100000000000000000000000000001,0.1000]")]
    [InlineData("""["\u00e9é\/\"\\ud83d\ude00😀<script>&'"]""")]
    [InlineData("[ 1 ,\n\t2 ]")]
    [InlineData("""{"a":1,"a":2}""")]
    [InlineData("null")]
    [InlineData("\"\\ud800\"")]
    public void A_strict_value_is_kept_byte_for_byte(string json)
    {
        Assert.Equal(json, Kept(WireExamples.Element(json)));

        var task = WireExamples.FullTask with { Result = WireExamples.Element(json) };
        var again = JsonSerializer.Deserialize<TaskSnapshot>(JsonSerializer.Serialize(task))!;
        Assert.Equal(json, again.Result!.Value.GetRawText());

        var mail = new CustomTaskEvent("bg_0", "progress", WireExamples.Element(json));
        var mailAgain = (CustomTaskEvent)MailEventJson.Deserialize(MailEventJson.Serialize(mail));
        Assert.Equal(json, mailAgain.Payload.GetRawText());
    }

    [Theory]
    [InlineData("""{"a":1,/* why */"b":[1,2,],}""", """{"a":1,"b":[1,2]}""")]
    [InlineData("[1.0e5, // five zeros\n 1E400,]", "[1.0e5,1E400]")]
    public void A_lenient_value_is_written_anew_so_that_strict_readers_take_it(string lenient, string strict)
    {
        using var document = JsonDocument.Parse(lenient, Lenient);

        Assert.Equal(strict, Kept(document.RootElement));
        Assert.Equal(
            $$"""{"kind":"completed","task_id":"bg_0","result":{{strict}}}""",
            JsonSerializer.Serialize<MailEvent>(new TaskCompleted("bg_0", document.RootElement)));
    }

    [Fact]
    public void A_lenient_value_with_broken_text_says_that_it_is_the_text()
    {
        using var document = JsonDocument.Parse("""["\ud800",]""", Lenient);

        var error = Assert.Throws<JsonException>(() => Kept(document.RootElement));

        Assert.DoesNotContain("nests deeper", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(56, true)]
    [InlineData(57, false)]
    [InlineData(1500, false)]
    public void A_value_may_nest_as_deep_as_every_reader_can_follow(int depth, bool kept)
    {
        var json = new string('[', depth) + new string(']', depth);
        using var document = JsonDocument.Parse(json, Lenient);

        if (kept)
        {
            Assert.Equal(json, Kept(document.RootElement));
            Assert.Equal(json, JsonValue.Parse(json).GetRawText());
        }
        else
        {
            var error = Assert.Throws<JsonException>(() => Kept(document.RootElement));
            Assert.Contains("56", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_value_that_is_none_is_refused_with_the_reason()
    {
        var disposed = JsonDocument.Parse("[1]");
        var element = disposed.RootElement;
        disposed.Dispose();

        Assert.Contains("undefined", Assert.Throws<JsonException>(() => Kept(default)).Message, StringComparison.Ordinal);
        Assert.Contains("disposed", Assert.Throws<JsonException>(() => Kept(element)).Message, StringComparison.Ordinal);
    }

    private static string Kept(JsonElement element) => Encoding.UTF8.GetString(JsonValue.ToStorableText(element));
}
