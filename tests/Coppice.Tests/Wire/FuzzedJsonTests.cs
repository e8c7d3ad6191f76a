using System.Buffers;
using System.Text;
using System.Text.Json;
using Coppice.StoreContract;

namespace Coppice.Tests.Wire;

/// <summary>
/// Whatever JSON, or what is none, a reader is given: it answers with a value that can be written and read again as the same, or with a
/// <see cref="JsonException"/> that says where.
/// </summary>
public sealed class FuzzedJsonTests
{
    private static readonly string[] Examples =
    [
        WireExamples.FullTaskJson,
        WireExamples.WorkTaskJson,
        """{"task_id":"bg_0","status":"running"}""",
        """{"task_id":"bg_0","owner_thread_id":"t1","status":"failed","error":"boom","created_at_ms":0,"parent_context":{}}""",
        """{"task_id":"bg_3","run_id":"run-1","call_id":"call-9","agent_id":"planner"}""",
        "\"input_required\"",
        .. WireExamples.Events.Values.Select(static example => example.Json),
    ];

    private static readonly Reader[] Readers =
    [
        Of<TaskSnapshot>("task"),
        Of<TaskLineage>("lineage"),
        Of<TaskState>("state"),
        Of<MailEvent>("mail"),
        Of<TaskEvent>("event of a task"),
        Of<TaskCompleted>("completed"),
        Of<TaskFailed>("failed"),
        Of<TaskCancelled>("cancelled"),
        Of<CustomTaskEvent>("custom"),
        Of<ThreadMessage>("message"),
        Of<TaskSnapshot[]>("tasks", static json => [(byte)'[', .. json, (byte)']']),
        Of<Dictionary<string, MailEvent>>("mail by name", static json => [.. "{\"a\":"u8, .. json, .. ",\"b\":"u8, .. json, (byte)'}']),
        Of<Dictionary<TaskState, int>>("states as names", static json => [(byte)'{', .. json, .. ":1}"u8]),
        new("text", static (json, _) =>
        {
            var mail = MailEventJson.Deserialize(Encoding.UTF8.GetString(json));
            AssertMessageIsReadable(mail);
            ReadsTheSameAgain(mail, null);
        }),
        new("a drop at a time", static (json, options) => ReadsTheSameAgain(
            JsonSerializer.DeserializeAsync<MailEvent>(new DripStream(json), options).AsTask().GetAwaiter().GetResult(), options)),
        new("in two parts", static (json, options) => ReadsTheSameAgain(ReadSplit(json, options), options)),
        new("value to keep", static (json, options) =>
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions
            {
                MaxDepth = options.MaxDepth,
                AllowTrailingCommas = options.AllowTrailingCommas,
                CommentHandling = options.ReadCommentHandling,
            });
            AssertKeptAsItIs(document.RootElement);
        }),
    ];

    // Generated contracts know the values of this library, but not the arrays and dictionaries around them.
    private static readonly JsonSerializerOptions[] Options =
    [
        .. HostileOptions.ByName.Where(static options => options.Key != "generated contracts").Select(static options => options.Value),
        new() { MaxDepth = 100_000, AllowTrailingCommas = true, ReadCommentHandling = JsonCommentHandling.Skip },
    ];

    [Fact]
    public void Damaged_documents_give_a_value_that_reads_the_same_again_or_an_error_that_says_where()
    {
        var random = new Random(RandomSeed.Draw());
        var fuzzer = new JsonFuzzer(random);
        var documents = LongRun.Count(inTests: 300, inLongRun: 20_000, "COPPICE_DOCUMENTS");
        int values = 0, errors = 0;
        for (var i = 1; i <= documents; i++)
        {
            var json = fuzzer.Document(Examples);
            var options = random.Next(2) == 0 ? Options[0] : fuzzer.Pick(Options);
            foreach (var reader in Readers)
            {
                var thrown = Record.Exception(() => reader.Read(json, options));
                Assert.True(
                    thrown is null || SaysWhere(thrown),
                    $"Document {i}, read as {reader.Name}: {thrown}\n{Convert.ToHexString(json)}\n{Encoding.UTF8.GetString(json)}");
                _ = thrown is null ? values++ : errors++;
            }

            if (i % 2_000 == 0)
            {
                LongRun.Progress($"{i} of {documents} documents");
            }
        }

        LongRun.Report($"converters: {documents} damaged documents, each read in {Readers.Length} ways: {values} values that read the same again, {errors} errors that say where");
        Assert.True(values > 0 && errors > 0, "All or nothing was damaged: the test shows nothing.");
    }

    [Fact]
    public void Text_that_is_no_unicode_is_an_error_that_names_its_field()
    {
        var inEvent = Assert.Throws<JsonException>(() => MailEventJson.Deserialize("""{"kind":"failed","error":"\ud83d"}"""));
        var inTask = Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<TaskSnapshot>("""{"task_id":"bg_0","cancelled_by":"\ud83d"}"""));

        Assert.Contains("'error'", inEvent.Message, StringComparison.Ordinal);
        Assert.Contains("'cancelled_by'", inTask.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_event_is_an_error_that_says_what_it_should_be()
    {
        Assert.Contains("object", Assert.Throws<JsonException>(() => MailEventJson.Deserialize("[]")).Message, StringComparison.Ordinal);
        Assert.Contains(
            nameof(ThreadMessage), Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<ThreadMessage>("""{"kind":"cancelled"}""")).Message, StringComparison.Ordinal);
        Assert.Contains("surrogate", Assert.Throws<JsonException>(() => MailEventJson.Deserialize("{\"kind\":\"\ud800\"}")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_error_of_a_task_that_did_not_fail_is_no_error()
    {
        var read = JsonSerializer.Deserialize<TaskSnapshot>("""{"task_id":"bg_0","status":"completed","error":"boom"}""");

        Assert.Null(read!.Error);
        Assert.Equal(read, JsonSerializer.Deserialize<TaskSnapshot>(JsonSerializer.Serialize(read)));
    }

    private static Reader Of<T>(string name, Func<byte[], byte[]>? around = null) =>
        new(name, (json, options) => ReadsTheSameAgain(JsonSerializer.Deserialize<T>(around is null ? json : around(json), options), options));

    /// <summary>An error of the right kind with a message, and the place in the document or the part of it.</summary>
    private static bool SaysWhere(Exception thrown) =>
        thrown is JsonException { Message.Length: > 0 } json
        && (json.Path is not null || json.LineNumber is not null || json.Message.Contains('\'', StringComparison.Ordinal)
            || json.Message.StartsWith("An event ", StringComparison.Ordinal) || json.Message.StartsWith("It ", StringComparison.Ordinal)
            || json.Message.StartsWith("The JSON holds a lone surrogate", StringComparison.Ordinal));

    private static void ReadsTheSameAgain<T>(T value, JsonSerializerOptions? options)
    {
        if (value is null)
        {
            return;
        }

        var written = JsonSerializer.Serialize(value, options);
        var again = JsonSerializer.Deserialize<T>(written, options);
        Assert.Equal(value, again);
        Assert.Equal(written, JsonSerializer.Serialize(again, options));
    }

    private static void AssertMessageIsReadable(MailEvent mail)
    {
        var isMessage = AgentMessage.TryRead(mail, out var from, out var content);
        Assert.Equal(mail is CustomTaskEvent { EventType: AgentMessage.EventType, Payload.ValueKind: JsonValueKind.Object }, isMessage);
        _ = new UTF8Encoding(false, throwOnInvalidBytes: true).GetByteCount(from + content);
        if (isMessage)
        {
            Assert.True(AgentMessage.TryRead(AgentMessage.Create("bg_0", from, content), out var fromAgain, out var contentAgain));
            Assert.Equal((from, content), (fromAgain, contentAgain));
        }
    }

    private static void AssertKeptAsItIs(JsonElement element)
    {
        var kept = JsonValue.ToStorable(element, out var bytes);
        var text = kept.GetRawText();
        Assert.Equal(Encoding.UTF8.GetByteCount(text), bytes);
        Assert.Equal(text, JsonValue.ToStorable(JsonValue.Parse(text), out _).GetRawText());
        Assert.True(JsonValue.Same(kept, element), "What is kept is another value.");
    }

    private static MailEvent? ReadSplit(byte[] json, JsonSerializerOptions options)
    {
        var first = new Segment(json.AsMemory(0, json.Length / 2), null);
        var last = new Segment(json.AsMemory(json.Length / 2), first);
        var reader = new Utf8JsonReader(
            new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length),
            new JsonReaderOptions
            {
                MaxDepth = options.MaxDepth,
                AllowTrailingCommas = options.AllowTrailingCommas,
                CommentHandling = options.ReadCommentHandling,
            });
        return JsonSerializer.Deserialize<MailEvent>(ref reader, options);
    }

    private sealed record Reader(string Name, Action<byte[], JsonSerializerOptions> Read);

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        internal Segment(ReadOnlyMemory<byte> memory, Segment? before)
        {
            Memory = memory;
            if (before is not null)
            {
                before.Next = this;
                RunningIndex = before.RunningIndex + before.Memory.Length;
            }
        }
    }

    /// <summary>Gives what it has in small pieces, as a slow connection does.</summary>
    private sealed class DripStream(byte[] bytes) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(7, buffer.Length)], cancellationToken);
    }
}
