using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Coppice.Tests.Wire;

/// <summary>Whatever a reader is given, it answers with a value or with a <see cref="JsonException"/>.</summary>
public sealed class HostileJsonTests(ITestOutputHelper output)
{
    private const int Rounds = 1_000;

    private static readonly string[] Seeds = [WireExamples.FullTaskJson, WireExamples.WorkTaskJson, .. WireExamples.Events.Values.Select(e => e.Json)];

    private static readonly string[] Fragments =
    [
        "{", "}", "[", "]", ",", ":", "\"", "\\", "null", "true", "1E400", "-0", "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\\u0000\"",
        "\"kind\":\"completed\",", "\"kind\":", "\"task_id\":", "\"status\":\"failed\",", "\"result\":", "\"parent_context\":null,",
        "\"created_at_ms\":99999999999999999999,", "\"\\ud800\":1,", "\ufeff", "\0", "/*", "//", "'", "NaN", "é", "😀",
    ];

    private static readonly Action<byte[]>[] Readers =
    [
        json => JsonSerializer.Deserialize<TaskSnapshot>(json),
        json => JsonSerializer.Deserialize<TaskLineage>(json),
        json => JsonSerializer.Deserialize<TaskState>(json),
        json => JsonSerializer.Deserialize<MailEvent>(json),
        json => JsonSerializer.Deserialize<TaskEvent>(json),
        json => JsonSerializer.Deserialize<ThreadMessage>(json),
        json => JsonSerializer.Deserialize<TaskSnapshot[]>((byte[])[(byte)'[', .. json, (byte)']']),
        json => JsonSerializer.Deserialize<MailEvent>(json, HostileOptions.ByName["lenient"]),
        json => MailEventJson.Deserialize(Encoding.UTF8.GetString(json)),
        json => WriteAgain(JsonSerializer.Deserialize<MailEvent>(json)),
        json => WriteAgain(JsonSerializer.Deserialize<TaskSnapshot>(json)),
    ];

    [Fact]
    public void Every_truncation_of_every_example_is_a_json_error()
    {
        foreach (var json in Seeds)
        {
            for (var length = 0; length < json.Length; length++)
            {
                var cut = json[..length];
                Assert.ThrowsAny<JsonException>(() => JsonSerializer.Deserialize<MailEvent>(cut));
                Assert.ThrowsAny<JsonException>(() => JsonSerializer.Deserialize<TaskSnapshot>(cut));
            }
        }
    }

    [Theory]
    [InlineData(65)]
    [InlineData(1_000)]
    [InlineData(200_000)]
    public void Deep_nesting_is_a_json_error_wherever_it_stands(int depth)
    {
        var deep = new string('[', depth) + new string(']', depth);
        string[] documents =
        [
            $$"""{"kind":"completed","task_id":"bg_0","result":{{deep}}}""",
            $$"""{"kind":"rescheduled","x":{{deep}}}""",
            $$"""{"task_id":"bg_0","status":"completed","result":{{deep}}}""",
            $$"""{"task_id":"bg_0","status":"completed","unknown":{{deep}}}""",
            $$$"""{"task_id":"bg_0","status":"completed","parent_context":{"unknown":{{{deep}}}}}""",
        ];

        foreach (var document in documents)
        {
            Assert.ThrowsAny<JsonException>(() => JsonSerializer.Deserialize<TaskSnapshot>(document));
            Assert.ThrowsAny<JsonException>(() => JsonSerializer.Deserialize<MailEvent>(document));
        }
    }

    [Fact]
    public void What_was_read_under_generous_options_is_written_or_refused_as_json()
    {
        var generous = new JsonSerializerOptions { MaxDepth = 3000 };
        var deep = new string('[', 1000) + new string(']', 1000);

        var mail = JsonSerializer.Deserialize<MailEvent>($$"""{"kind":"completed","task_id":"bg_0","result":{{deep}}}""", generous)!;
        var task = JsonSerializer.Deserialize<TaskSnapshot>($$"""{"task_id":"bg_0","status":"completed","result":{{deep}}}""", generous)!;

        Assert.Throws<JsonException>(() => JsonSerializer.Serialize(mail, generous));
        Assert.Throws<JsonException>(() => JsonSerializer.Serialize(task, generous));
    }

    [Theory]
    [InlineData("""{"task_id":"\ud800","status":"running"}""")]
    [InlineData("""{"task_id":"bg_0","status":"\udc00"}""")]
    [InlineData("""{"task_id":"bg_0","status":"running","parent_context":{"agent_id":"\ud800\ud800"}}""")]
    [InlineData("""{"task_id":"bg_0","status":"running","\ud800":1}""")]
    public void A_lone_surrogate_in_the_text_of_a_task_is_a_json_error(string json) =>
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<TaskSnapshot>(json));

    [Fact]
    public void Of_a_field_that_stands_twice_the_last_one_counts()
    {
        var task = JsonSerializer.Deserialize<TaskSnapshot>(
            """{"task_id":"bg_0","task_id":"bg_1","status":"running","status":"pending","parent_context":{"run_id":"a","run_id":"b"}}""")!;
        var mail = JsonSerializer.Deserialize<MailEvent>("""{"kind":"completed","kind":"failed","error":"a","error":"b"}""");

        Assert.Equal(("bg_1", TaskState.Pending, "b"), (task.TaskId, task.State, task.Lineage.RunId));
        Assert.Equal(new TaskFailed("", "b"), mail);
    }

    [Theory]
    [InlineData("{\"kind\":\"completed\",\"result\":\"?\"}")]
    [InlineData("{\"kind\":\"completed\",\"result\":{\"?\":1}}")]
    [InlineData("{\"kind\":\"custom\",\"payload\":[\"?\"]}")]
    [InlineData("{\"kind\":\"rescheduled\",\"?\":1}")]
    [InlineData("{\"task_id\":\"bg_0\",\"status\":\"completed\",\"result\":\"?\"}")]
    public void Bytes_that_are_no_utf8_are_a_json_error_at_the_latest_when_they_are_written(string json)
    {
        byte[] bytes = [.. json.Select(c => c == '?' ? (byte)0xff : (byte)c)];

        Assert.ThrowsAny<JsonException>(() =>
        {
            if (json.Contains("kind", StringComparison.Ordinal))
            {
                WriteAgain(JsonSerializer.Deserialize<MailEvent>(bytes));
            }
            else
            {
                WriteAgain(JsonSerializer.Deserialize<TaskSnapshot>(bytes));
            }
        });
    }

    [Fact]
    public void Text_with_a_lone_surrogate_is_a_json_error() =>
        Assert.ThrowsAny<JsonException>(() => MailEventJson.Deserialize("{\"kind\":\"failed\",\"error\":\"\ud800\"}"));

    [Fact]
    public void Random_damage_gives_a_value_or_a_json_error_and_what_was_read_reads_the_same_again()
    {
        var seed = Random.Shared.Next();
        var message = string.Create(CultureInfo.InvariantCulture, $"seed {seed}");
        output.WriteLine(message);
        var random = new Random(seed);

        for (var round = 0; round < Rounds; round++)
        {
            var json = Damage(random);
            foreach (var read in Readers)
            {
                var thrown = Record.Exception(() => read(json));
                Assert.True(
                    thrown is null or JsonException,
                    $"{message}: {thrown?.GetType().Name} for {Convert.ToHexString(json)} {Encoding.UTF8.GetString(json)}");
            }
        }
    }

    private static void WriteAgain(MailEvent? mail)
    {
        if (mail is not null)
        {
            var written = MailEventJson.Serialize(mail);
            Assert.Equal(written, MailEventJson.Serialize(MailEventJson.Deserialize(written)));
        }
    }

    private static void WriteAgain(TaskSnapshot? task)
    {
        if (task is not null)
        {
            var written = JsonSerializer.Serialize(task);
            Assert.Equal(written, JsonSerializer.Serialize(JsonSerializer.Deserialize<TaskSnapshot>(written)));
        }
    }

    private static byte[] Damage(Random random)
    {
        var text = new StringBuilder(Seeds[random.Next(Seeds.Length)]);
        for (var cuts = random.Next(0, 5); cuts > 0 && text.Length > 0; cuts--)
        {
            var at = random.Next(text.Length);
            switch (random.Next(4))
            {
                case 0:
                    text.Remove(at, Math.Min(random.Next(1, 12), text.Length - at));
                    break;
                case 1:
                    text.Insert(at, Fragments[random.Next(Fragments.Length)]);
                    break;
                case 2:
                    text[at] = (char)random.Next(0x20, 0x7f);
                    break;
                default:
                    text[at] = (char)random.Next(0x10000);
                    break;
            }
        }

        var bytes = Encoding.UTF8.GetBytes(text.ToString());
        if (bytes.Length > 0 && random.Next(4) == 0)
        {
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        }

        return bytes;
    }
}
