using System.Text;
using System.Text.Json;
using Coppice.Tests.Wire;

namespace Coppice.Tests.Tasks;

/// <summary>What ids, texts, payloads and results may be.</summary>
public sealed class TaskRulesTests
{
    private readonly TaskRules _rules = new(new BackgroundTaskOptions
    {
        MaxIdBytes = 10, MaxDescriptionBytes = 10, MaxMessageBytes = 10, MaxEventPayloadBytes = 16, MaxResultBytes = 16, MaxErrorBytes = 64,
    });

    [Theory]
    [InlineData("a")]
    [InlineData("1234567890")]
    [InlineData("ééééé")]
    [InlineData(" a thing ")]
    public void An_id_within_its_limit_is_kept_as_it_is(string id) => _rules.CheckId(id, "threadId");

    [Theory]
    [InlineData("12345678901", "11", "MaxIdBytes is 10")]
    [InlineData("éééééé", "12", "MaxIdBytes is 10")]
    [InlineData("a\0", "NUL", "lone surrogate")]
    public void An_id_that_cannot_be_is_an_argument_error_that_says_why(string id, string first, string second)
    {
        var error = Assert.Throws<ArgumentException>(() => _rules.CheckId(id, "threadId"));

        Assert.Equal("threadId", error.ParamName);
        Assert.Contains(first, error.Message, StringComparison.Ordinal);
        Assert.Contains(second, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_id_with_a_lone_surrogate_is_an_argument_error()
    {
        Assert.Throws<ArgumentException>(() => _rules.CheckId("\ud800", "threadId"));
        Assert.Throws<ArgumentException>(() => _rules.CheckId("a\udc00", "threadId"));
    }

    [Fact]
    public void A_missing_id_is_an_argument_error_and_an_empty_optional_one_is_no_value()
    {
        Assert.Throws<ArgumentNullException>(() => _rules.CheckId(null, "id"));
        Assert.Throws<ArgumentException>(() => _rules.CheckId("", "id"));
        Assert.Null(_rules.CheckOptionalId("", "id"));
        Assert.Null(_rules.CheckOptionalId(null, "id"));
        Assert.Equal("a", _rules.CheckOptionalId("a", "id"));
    }

    [Fact]
    public void Law06_Empty_parts_of_a_lineage_are_no_values()
    {
        Assert.Equal(TaskLineage.None, _rules.CheckLineage(null, "lineage"));
        Assert.Equal(TaskLineage.None, _rules.CheckLineage(new() { TaskId = "", RunId = "" }, "lineage"));
        Assert.Equal(new TaskLineage { CallId = "c" }, _rules.CheckLineage(new() { TaskId = "", CallId = "c" }, "lineage"));
        Assert.Throws<ArgumentException>(() => _rules.CheckLineage(new() { AgentId = "12345678901" }, "lineage"));
    }

    [Fact]
    public void Texts_over_their_limit_are_argument_errors_that_name_size_and_option()
    {
        var description = Assert.Throws<ArgumentException>(() => _rules.CheckDescription("éééééé", "d"));
        var message = Assert.Throws<ArgumentException>(() => _rules.CheckMessage("12345678901", "m"));
        var payload = Assert.Throws<ArgumentException>(() => _rules.CheckPayload(WireExamples.Element("\"123456789012345\""), "p"));

        Assert.Contains("12 bytes; MaxDescriptionBytes is 10", description.Message, StringComparison.Ordinal);
        Assert.Contains("11 bytes; MaxMessageBytes is 10", message.Message, StringComparison.Ordinal);
        Assert.Contains("17 bytes; MaxEventPayloadBytes is 16", payload.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Nul_and_lone_surrogates_in_texts_become_the_replacement_character()
    {
        Assert.Equal("a\ufffdb", _rules.CheckDescription("a\0b", "d"));
        Assert.Equal("\ufffd\ufffd😀", _rules.CheckMessage("\ud800\0😀", "m"));
        Assert.Equal("", _rules.CheckDescription(null, "d"));
        Assert.Equal("", _rules.CheckMessage("", "m"));
        Assert.Throws<ArgumentNullException>(() => _rules.CheckMessage(null!, "m"));
    }

    [Fact]
    public void Law03_A_result_that_cannot_be_stored_ends_the_task_as_failed_saying_so()
    {
        var tooLarge = _rules.Storable(TaskOutcome.Success("123456789012345"));
        var tooDeep = _rules.Storable(TaskOutcome.Success(WireExamples.Element(new string('[', 60) + new string(']', 60))));

        Assert.Equal(TaskState.Failed, tooLarge.State);
        Assert.Contains("17 bytes; MaxResultBytes is 16", tooLarge.Error, StringComparison.Ordinal);
        Assert.Equal(TaskState.Failed, tooDeep.State);
        Assert.Contains("56", tooDeep.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_result_within_its_limit_is_kept_byte_for_byte()
    {
        var kept = _rules.Storable(TaskOutcome.Success(WireExamples.Element("{ \"b\":1.0e5 }")));

        Assert.Equal((TaskState.Completed, "{ \"b\":1.0e5 }"), (kept.State, kept.Result!.Value.GetRawText()));
        Assert.Same(TaskOutcome.Cancelled, _rules.Storable(TaskOutcome.Cancelled));
    }

    [Fact]
    public void A_payload_that_is_no_json_is_an_argument_error()
    {
        Assert.Throws<ArgumentException>(() => _rules.CheckPayload(default, "p"));

        var document = JsonDocument.Parse("[1]");
        var disposed = document.RootElement;
        document.Dispose();
        Assert.Throws<ArgumentException>(() => _rules.CheckPayload(disposed, "p"));
    }

    [Theory]
    [InlineData("a", 200)]
    [InlineData("é", 100)]
    [InlineData("xé", 100)]
    [InlineData("全", 100)]
    [InlineData("😀", 100)]
    [InlineData("x😀", 100)]
    public void A_longer_error_is_cut_between_characters(string unit, int count)
    {
        var error = string.Concat(Enumerable.Repeat(unit, count));

        var cut = _rules.CutError(error);

        Assert.InRange(Encoding.UTF8.GetByteCount(cut), 61, 64);
        Assert.StartsWith(cut, error, StringComparison.Ordinal);
        Assert.DoesNotContain('\ufffd', Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(cut)));
    }

    [Fact]
    public void A_task_of_a_snapshot_is_cleaned_and_its_times_cut_to_the_millisecond()
    {
        var rules = new TaskRules(new BackgroundTaskOptions());
        var time = new DateTimeOffset(2026, 1, 2, 3, 4, 5, 678, 900, TimeSpan.FromHours(5));

        var kept = rules.CheckRestored(
            WireExamples.FullTask with { Description = "a\0b", CreatedAt = time, CompletedAt = time, Error = "left over", Lineage = new() { RunId = "" } },
            1,
            "snapshot");

        Assert.Equal("a\ufffdb", kept.Description);
        Assert.Equal(new DateTimeOffset(2026, 1, 1, 22, 4, 5, 678, TimeSpan.Zero), kept.CreatedAt);
        Assert.Equal((kept.CreatedAt, TimeSpan.Zero), (kept.CompletedAt, kept.CreatedAt.Offset));
        Assert.Null(kept.Error);
        Assert.Equal(TaskLineage.None, kept.Lineage);
    }

    [Fact]
    public void A_task_of_a_snapshot_that_cannot_be_kept_is_an_argument_error_that_names_it()
    {
        var rules = new TaskRules(new BackgroundTaskOptions());
        TaskSnapshot?[] broken =
        [
            null,
            WireExamples.FullTask with { TaskId = "" },
            WireExamples.FullTask with { Type = "" },
            WireExamples.FullTask with { State = (TaskState)9 },
            WireExamples.FullTask with { Name = new string('a', 129) },
            WireExamples.FullTask with { Name = "\ud800" },
            WireExamples.FullTask with { Description = new string('a', 5000) },
            WireExamples.FullTask with { Result = default(JsonElement) },
            WireExamples.FullTask with { Result = WireExamples.Element(new string('[', 60) + new string(']', 60)) },
            WireExamples.FullTask with { Lineage = new() { RunId = new string('a', 257) } },
        ];

        Assert.All(broken, task =>
        {
            var error = Assert.Throws<ArgumentException>(() => rules.CheckRestored(task, 12, "snapshot"));
            Assert.Equal("snapshot", error.ParamName);
            Assert.StartsWith("Task number 12 of the snapshot ", error.Message, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void An_error_of_exactly_the_limit_is_kept_whole_and_one_byte_more_is_cut()
    {
        var fits = string.Concat(Enumerable.Repeat("é", 32));

        Assert.Equal(fits, _rules.CutError(fits));
        Assert.Equal(fits, _rules.CutError(fits + "x"));
        Assert.Equal(64, Encoding.UTF8.GetByteCount(_rules.CutError(fits + "x")));
    }

    [Theory]
    [InlineData(0, 16)]
    [InlineData(1, 15)]
    [InlineData(2, 15)]
    [InlineData(3, 15)]
    [InlineData(4, 15)]
    public void An_error_is_cut_between_characters_wherever_the_limit_falls(int before, int whole)
    {
        var error = new string('a', before) + string.Concat(Enumerable.Repeat("😀", 40));

        Assert.Equal(new string('a', before) + string.Concat(Enumerable.Repeat("😀", whole)), _rules.CutError(error));
    }

    [Fact]
    public void What_is_over_its_limit_is_told_its_size_and_the_limit()
    {
        var large = JsonSerializer.SerializeToElement(new string('x', 20), WireContext.Default.String);

        Assert.Contains("MaxEventPayloadBytes is 16", Assert.Throws<ArgumentException>(() => _rules.CheckPayload(large, "payload")).Message, StringComparison.Ordinal);
        Assert.Contains("MaxResultBytes is 16", _rules.Storable(TaskOutcome.Success(large)).Error, StringComparison.Ordinal);
        var restored = Assert.Throws<ArgumentException>(() => _rules.CheckRestored(Ended() with { Result = large }, 3, "snapshot"));
        Assert.Contains("number 3", restored.Message, StringComparison.Ordinal);
        Assert.Contains("MaxResultBytes is 16", restored.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_restored_name_of_exactly_the_limit_is_kept_and_a_longer_one_is_told_the_limit()
    {
        var rules = new TaskRules(new BackgroundTaskOptions { MaxNameLength = 4 });

        Assert.Equal("four", rules.CheckRestored(Ended() with { Name = "four" }, 0, "snapshot").Name);
        var error = Assert.Throws<ArgumentException>(() => rules.CheckRestored(Ended() with { Name = "fives" }, 0, "snapshot"));
        Assert.Contains("MaxNameLength is 4", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_restored_state_that_is_none_is_named()
    {
        var error = Assert.Throws<ArgumentException>(() => _rules.CheckRestored(Ended() with { State = (TaskState)99 }, 0, "snapshot"));

        Assert.Contains("99", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_restored_failure_without_an_error_has_an_empty_one() =>
        Assert.Equal("", _rules.CheckRestored(Ended() with { State = TaskState.Failed, Error = null }, 0, "snapshot").Error);

    private static TaskSnapshot Ended() => new() { TaskId = "bg_1", OwnerThreadId = "t", Type = "task", State = TaskState.Completed };
}
