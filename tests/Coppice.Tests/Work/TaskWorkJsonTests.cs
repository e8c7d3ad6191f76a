using System.Text.Json;
using Coppice.Tests.Wire;

namespace Coppice.Tests.Work;

public sealed class TaskWorkJsonTests
{
    private const string Smallest = """{"kind":"k"}""";

    public static TheoryData<string> Options => HostileOptions.Names;

    private static TaskSnapshot Task => new() { TaskId = "bg_8", OwnerThreadId = "t", CreatedAt = DateTimeOffset.UnixEpoch, Work = WireExamples.FullWork };

    [Fact]
    public void Work_is_written_and_read_as_the_wire_format_has_it()
    {
        Assert.Equal(WireExamples.WorkTaskJson, JsonSerializer.Serialize(Task));
        Assert.Equal(Task, JsonSerializer.Deserialize<TaskSnapshot>(WireExamples.WorkTaskJson));
    }

    [Theory]
    [MemberData(nameof(Options))]
    public void The_options_of_others_change_nothing(string name)
    {
        var options = HostileOptions.ByName[name];

        var json = JsonSerializer.Serialize(Task, options);

        Assert.True(JsonElement.DeepEquals(WireExamples.Element(WireExamples.WorkTaskJson), WireExamples.Element(json)), json);
        Assert.Equal(Task, JsonSerializer.Deserialize<TaskSnapshot>(json, options));
    }

    [Fact]
    public void The_input_is_kept_byte_for_byte()
    {
        var read = JsonSerializer.Deserialize<TaskSnapshot>(WireExamples.WorkTaskJson)!;

        Assert.Equal(WireExamples.WorkInput, read.Work!.Input.GetRawText());
        Assert.Contains($"\"input\":{WireExamples.WorkInput}}}", JsonSerializer.Serialize(read), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_absent_is_omitted_and_reads_as_its_default()
    {
        var json = JsonSerializer.Serialize(Task with { Work = new TaskWork { Kind = "k", Input = WireExamples.Element("null") } });

        Assert.Contains(
            """
            "work":{"kind":"k","version":1,"recovery":"never","priority":0,"attempt":0,"failures":0,"crashes":0,"input":null},
            """,
            json,
            StringComparison.Ordinal);
        Assert.Equal(Read(Smallest), JsonSerializer.Deserialize<TaskSnapshot>(json)!.Work);
        Assert.Equal(
            Read(Smallest),
            Read("""{"kind":"k","recovery":null,"due_at_ms":null,"deadline_ms":null,"idempotency_key":null,"last_error":null,"input":null,"later":[{"kind":1}]}"""));
        Assert.Equal((1, RecoveryPolicy.Never, JsonValueKind.Null), (Read(Smallest)!.Version, Read(Smallest)!.Recovery, Read(Smallest)!.Input.ValueKind));
    }

    [Fact]
    public void A_task_without_work_has_none_on_the_wire()
    {
        Assert.DoesNotContain("work", JsonSerializer.Serialize(Task with { Work = null }), StringComparison.Ordinal);
        Assert.Null(Read("null"));
    }

    [Theory]
    [InlineData(RecoveryPolicy.Never, "never")]
    [InlineData(RecoveryPolicy.Idempotent, "idempotent")]
    [InlineData(RecoveryPolicy.Resumable, "resumable")]
    public void Each_recovery_policy_has_its_wire_name(RecoveryPolicy policy, string name)
    {
        var work = WireExamples.FullWork with { Recovery = policy };

        Assert.Contains($"\"recovery\":\"{name}\"", JsonSerializer.Serialize(Task with { Work = work }), StringComparison.Ordinal);
        Assert.Equal(policy, Read($$"""{"kind":"k","recovery":"{{name}}"}""")!.Recovery);
    }

    [Theory]
    [InlineData("[]", "work")]
    [InlineData("\"k\"", "work")]
    [InlineData("{}", "kind")]
    [InlineData("""{"kind":null}""", "kind")]
    [InlineData("""{"kind":""}""", "kind")]
    [InlineData("""{"kind":7}""", "kind")]
    [InlineData("""{"kind":"\ud800"}""", "kind")]
    [InlineData("""{"kind":"k","version":"1"}""", "version")]
    [InlineData("""{"kind":"k","version":-1}""", "version")]
    [InlineData("""{"kind":"k","version":1.5}""", "version")]
    [InlineData("""{"kind":"k","version":null}""", "version")]
    [InlineData("""{"kind":"k","priority":2147483648}""", "priority")]
    [InlineData("""{"kind":"k","priority":"high"}""", "priority")]
    [InlineData("""{"kind":"k","attempt":-1}""", "attempt")]
    [InlineData("""{"kind":"k","failures":-1}""", "failures")]
    [InlineData("""{"kind":"k","crashes":1e400}""", "crashes")]
    [InlineData("""{"kind":"k","recovery":"Never"}""", "recovery")]
    [InlineData("""{"kind":"k","recovery":0}""", "recovery")]
    [InlineData("""{"kind":"k","due_at_ms":"1"}""", "due_at_ms")]
    [InlineData("""{"kind":"k","due_at_ms":9223372036854775807}""", "due_at_ms")]
    [InlineData("""{"kind":"k","deadline_ms":1.5}""", "deadline_ms")]
    [InlineData("""{"kind":"k","idempotency_key":{}}""", "idempotency_key")]
    [InlineData("""{"kind":"k","last_error":[]}""", "last_error")]
    public void A_field_that_cannot_be_read_is_a_json_error_that_names_it(string work, string field)
    {
        var error = Assert.Throws<JsonException>(() => Read(work));

        Assert.Contains($"'{field}'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_input_that_nests_too_deep_is_a_json_error_when_it_is_written()
    {
        var deep = new string('[', 60) + new string(']', 60);
        var work = WireExamples.FullWork with { Input = WireExamples.Element(deep) };

        Assert.Throws<JsonException>(() => JsonSerializer.Serialize(Task with { Work = work }));
    }

    [Fact]
    public void Work_that_differs_in_one_part_is_not_equal()
    {
        var full = WireExamples.FullWork;
        TaskWork[] changed =
        [
            full with { Kind = "Summarise" }, full with { Version = 4 }, full with { Input = WireExamples.Element("1") }, full with { Recovery = RecoveryPolicy.Never },
            full with { Priority = 7 }, full with { Attempt = 5 }, full with { Failures = 3 }, full with { Crashes = 0 }, full with { DueAt = null },
            full with { Deadline = null }, full with { IdempotencyKey = null }, full with { LastError = null },
        ];

        Assert.Equal(typeof(TaskWork).GetProperties().Length, changed.Length);
        Assert.All(changed, work => Assert.NotEqual(full, work));
        Assert.Equal(full, full with { Input = WireExamples.Element("""{ "a" : [1000, null, "é"], "b" : 1.5 }""") });
    }

    private static TaskWork? Read(string work) =>
        JsonSerializer.Deserialize<TaskSnapshot>($$"""{"task_id":"bg_0","status":"pending","work":{{work}}}""")!.Work;
}
