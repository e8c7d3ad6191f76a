using System.Text.Json;
using Coppice.Tests.Wire;

namespace Coppice.Tests.Tasks;

public sealed class TaskSnapshotJsonTests
{
    private const string Smallest = """{"task_id":"bg_0","status":"running"}""";

    public static TheoryData<string> Options => HostileOptions.Names;

    [Fact]
    public void A_task_is_written_as_the_wire_format_has_it() =>
        Assert.Equal(WireExamples.FullTaskJson, JsonSerializer.Serialize(WireExamples.FullTask));

    [Fact]
    public void What_is_absent_is_omitted_and_an_empty_parent_context_is_written() =>
        Assert.Equal(
            """{"task_id":"bg_0","owner_thread_id":"t","task_type":"task","description":"","status":"pending","created_at_ms":0,"parent_context":{}}""",
            JsonSerializer.Serialize(new TaskSnapshot { TaskId = "bg_0", OwnerThreadId = "t", CreatedAt = DateTimeOffset.UnixEpoch }));

    [Theory]
    [InlineData(TaskState.Failed, true)]
    [InlineData(TaskState.Completed, false)]
    [InlineData(TaskState.Cancelled, false)]
    [InlineData(TaskState.Running, false)]
    public void An_error_is_written_only_of_a_failed_task(TaskState state, bool written)
    {
        var json = JsonSerializer.Serialize(new TaskSnapshot { TaskId = "bg_0", State = state, Error = "boom" });

        Assert.Equal(written, json.Contains("\"error\":\"boom\"", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Options))]
    public void The_options_of_others_change_nothing(string name)
    {
        var options = HostileOptions.ByName[name];

        var json = JsonSerializer.Serialize(WireExamples.FullTask, options);
        var asObject = JsonSerializer.Serialize<object>(WireExamples.FullTask, options);

        if (!options.WriteIndented)
        {
            Assert.Equal(WireExamples.FullTaskJson, json);
        }

        Assert.Equal(json, asObject);
        Assert.True(JsonElement.DeepEquals(WireExamples.Element(WireExamples.FullTaskJson), WireExamples.Element(json)), json);
        Assert.Equal(WireExamples.FullTask, JsonSerializer.Deserialize<TaskSnapshot>(json, options));
        Assert.Equal(WireExamples.FullTask, JsonSerializer.Deserialize<TaskSnapshot>(WireExamples.FullTaskJson, options));
    }

    [Theory]
    [InlineData(NotifyPolicy.DoneOnly, "done_only")]
    [InlineData(NotifyPolicy.EachEvent, "each_event")]
    [InlineData(NotifyPolicy.Silent, "silent")]
    public void A_notify_policy_has_its_wire_name_and_a_task_of_the_default_none(NotifyPolicy policy, string name)
    {
        var json = JsonSerializer.Serialize(new TaskSnapshot { TaskId = "bg_0", Notify = policy });

        Assert.Equal($"\"{name}\"", JsonSerializer.Serialize(policy));
        Assert.Equal(policy, JsonSerializer.Deserialize<NotifyPolicy>($"\"{name}\""));
        Assert.Equal(policy != NotifyPolicy.DoneOnly, json.Contains($"\"notify\":\"{name}\"", StringComparison.Ordinal));
        Assert.Equal(policy, JsonSerializer.Deserialize<TaskSnapshot>(json)!.Notify);
        Assert.Equal(policy, JsonSerializer.Deserialize<TaskSnapshot>($$"""{"task_id":"bg_0","status":"running","notify":"{{name}}"}""")!.Notify);
    }

    [Theory]
    [InlineData("\"Silent\"")]
    [InlineData("\"\"")]
    [InlineData("1")]
    [InlineData("\"\\ud800\"")]
    public void A_notify_policy_that_is_none_is_refused(string json)
    {
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<NotifyPolicy>(json));
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<TaskSnapshot>($$"""{"task_id":"bg_0","status":"running","notify":{{json}}}"""));
    }

    [Fact]
    public void A_record_from_before_the_fields_existed_reads_with_their_empty_values()
    {
        var task = JsonSerializer.Deserialize<TaskSnapshot>(Smallest)!;

        Assert.Equal(("bg_0", "", "task", "", TaskState.Running), (task.TaskId, task.OwnerThreadId, task.Type, task.Description, task.State));
        Assert.Equal(TaskLineage.None, task.Lineage);
        Assert.Null(task.Name);
        Assert.Null(task.Error);
        Assert.Null(task.Result);
        Assert.Null(task.CompletedAt);
        Assert.Null(task.CancelRequestedAt);
        Assert.Null(task.CancelledBy);
        Assert.Equal(NotifyPolicy.DoneOnly, task.Notify);
        Assert.Null(task.AgentThreadId);
        Assert.Null(task.Continues);
    }

    [Fact]
    public void Null_for_an_optional_field_reads_as_absent()
    {
        const string Json =
            """
            {"task_id":"bg_0","status":"running","owner_thread_id":null,"task_type":null,"name":null,"description":null,"error":null,
             "completed_at_ms":null,"cancel_requested_at_ms":null,"cancelled_by":null,"notify":null,
             "agent_thread_id":null,"continues":null,"parent_context":null}
            """;

        Assert.Equal(JsonSerializer.Deserialize<TaskSnapshot>(Smallest), JsonSerializer.Deserialize<TaskSnapshot>(Json));
    }

    [Fact]
    public void A_result_that_is_null_is_a_result_and_a_missing_one_is_none()
    {
        var withNull = JsonSerializer.Deserialize<TaskSnapshot>("""{"task_id":"bg_0","status":"completed","result":null}""")!;
        var without = JsonSerializer.Deserialize<TaskSnapshot>("""{"task_id":"bg_0","status":"completed"}""")!;

        Assert.Equal(JsonValueKind.Null, withNull.Result!.Value.ValueKind);
        Assert.Null(without.Result);
        Assert.NotEqual(withNull, without);
        Assert.Contains("\"result\":null", JsonSerializer.Serialize(withNull), StringComparison.Ordinal);
        Assert.DoesNotContain("result", JsonSerializer.Serialize(without), StringComparison.Ordinal);
    }

    [Fact]
    public void Unknown_fields_are_ignored_whatever_they_hold()
    {
        const string Json =
            """
            {"later":{"task_id":"bg_9","deep":[[1],{"status":"failed"}]},"task_id":"bg_0","\u0073tatus":"running","Status":"failed",
             "parent_context":{"later":[1,2],"task_id":"bg_3"},"x":null}
            """;

        var task = JsonSerializer.Deserialize<TaskSnapshot>(Json)!;

        Assert.Equal(("bg_0", TaskState.Running, "bg_3"), (task.TaskId, task.State, task.Lineage.TaskId));
    }

    [Theory]
    [InlineData("""{"status":"running"}""", "task_id")]
    [InlineData("""{"task_id":null,"status":"running"}""", "task_id")]
    [InlineData("""{"task_id":"bg_0"}""", "status")]
    [InlineData("""{"task_id":"bg_0","status":"Running"}""", "status")]
    [InlineData("""{"task_id":"bg_0","status":null}""", "status")]
    [InlineData("""{"task_id":7,"status":"running"}""", "task_id")]
    [InlineData("""{"task_id":"bg_0","status":"running","name":{}}""", "name")]
    [InlineData("""{"task_id":"bg_0","status":"running","created_at_ms":"1"}""", "created_at_ms")]
    [InlineData("""{"task_id":"bg_0","status":"running","created_at_ms":1.5}""", "created_at_ms")]
    [InlineData("""{"task_id":"bg_0","status":"running","created_at_ms":null}""", "created_at_ms")]
    [InlineData("""{"task_id":"bg_0","status":"running","completed_at_ms":1e300}""", "completed_at_ms")]
    [InlineData("""{"task_id":"bg_0","status":"running","completed_at_ms":9223372036854775807}""", "completed_at_ms")]
    [InlineData("""{"task_id":"bg_0","status":"running","completed_at_ms":-9223372036854775808}""", "completed_at_ms")]
    [InlineData("""{"task_id":"bg_0","status":"running","parent_context":[]}""", "parent_context")]
    [InlineData("""{"task_id":"bg_0","status":"running","parent_context":{"run_id":1}}""", "run_id")]
    [InlineData("[]", "task")]
    public void A_field_that_cannot_be_read_is_a_json_error_that_names_it(string json, string field)
    {
        var error = Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<TaskSnapshot>(json));

        Assert.Contains(field, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Times_are_kept_to_the_millisecond_in_utc()
    {
        var written = new TaskSnapshot
        {
            TaskId = "bg_0",
            CreatedAt = new DateTimeOffset(2026, 1, 2, 3, 4, 5, 678, 900, TimeSpan.FromHours(5)),
        };

        var read = JsonSerializer.Deserialize<TaskSnapshot>(JsonSerializer.Serialize(written))!;

        Assert.Equal(new DateTimeOffset(2026, 1, 1, 22, 4, 5, 678, TimeSpan.Zero), read.CreatedAt);
        Assert.Equal(TimeSpan.Zero, read.CreatedAt.Offset);
    }

    [Fact]
    public void A_lineage_is_written_and_read_by_itself()
    {
        var lineage = new TaskLineage { RunId = "run-1", AgentId = "" };

        Assert.Equal("""{"run_id":"run-1","agent_id":""}""", JsonSerializer.Serialize(lineage));
        Assert.Equal(lineage, JsonSerializer.Deserialize<TaskLineage>("""{"run_id":"run-1","agent_id":""}"""));
        Assert.Equal("{}", JsonSerializer.Serialize(TaskLineage.None));
        Assert.Equal(TaskLineage.None, JsonSerializer.Deserialize<TaskLineage>("{}"));
        Assert.Equal(TaskLineage.None, JsonSerializer.Deserialize<TaskLineage>("null"));
    }

    [Theory]
    [InlineData(null, null, null, null, true)]
    [InlineData("", "", "", "", true)]
    [InlineData("t", null, null, null, false)]
    [InlineData(null, "r", null, null, false)]
    [InlineData(null, null, "c", null, false)]
    [InlineData(null, null, null, "a", false)]
    public void A_lineage_is_empty_when_no_part_says_anything(string? task, string? run, string? call, string? agent, bool empty) =>
        Assert.Equal(empty, new TaskLineage { TaskId = task, RunId = run, CallId = call, AgentId = agent }.IsEmpty);
}
