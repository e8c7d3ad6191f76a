using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Coppice.Tests.Tasks;

public sealed class TaskOutcomeTests
{
    [Fact]
    public void A_success_keeps_its_result_after_the_document_is_gone()
    {
        TaskOutcome outcome;
        using (var document = JsonDocument.Parse("""{"pages":3}"""))
        {
            outcome = TaskOutcome.Success(document.RootElement);
        }

        Assert.Equal(TaskState.Completed, outcome.State);
        Assert.Equal("""{"pages":3}""", outcome.Result!.Value.GetRawText());
        Assert.Null(outcome.Error);
    }

    [Fact]
    public void An_undefined_element_is_an_argument_error_that_says_what_to_pass()
    {
        var error = Assert.Throws<ArgumentException>(() => TaskOutcome.Success(default(JsonElement)));

        Assert.Equal("result", error.ParamName);
        Assert.Contains("undefined", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Null_is_json_null_and_not_the_absence_of_a_result()
    {
        Assert.Equal(JsonValueKind.Null, TaskOutcome.Success<string?>(null).Result!.Value.ValueKind);
        Assert.Equal(JsonValueKind.Null, TaskOutcome.Success<int?>(null).Result!.Value.ValueKind);
        Assert.Equal(JsonValueKind.Null, TaskOutcome.Success<JsonElement?>(null).Result!.Value.ValueKind);
        Assert.Equal(JsonValueKind.Null, TaskOutcome.Success(null, WireContext.Default.String!).Result!.Value.ValueKind);
    }

    [Fact]
    public void A_value_is_written_with_the_web_defaults() =>
        Assert.Equal(
            """{"pageCount":3,"firstTitle":"a"}""",
            TaskOutcome.Success(new Report(3, "a")).Result!.Value.GetRawText());

    [Fact]
    public void A_value_with_a_contract_is_written_by_it()
    {
        JsonTypeInfo<Report> contract = WireContext.Default.Report;

        Assert.Equal("""{"PageCount":3,"FirstTitle":"a"}""", TaskOutcome.Success(new Report(3, "a"), contract).Result!.Value.GetRawText());
        Assert.Throws<ArgumentNullException>(() => TaskOutcome.Success(new Report(3, "a"), null!));
    }

    [Fact]
    public void A_value_that_is_no_json_is_refused_where_it_is_made()
    {
        Assert.Throws<NotSupportedException>(() => TaskOutcome.Success<Delegate>(() => { }));
        Assert.ThrowsAny<Exception>(() => TaskOutcome.Success(double.NaN));
    }

    [Fact]
    public void A_failure_has_its_error_and_needs_one()
    {
        var outcome = TaskOutcome.Failure("boom");

        Assert.Equal((TaskState.Failed, "boom"), (outcome.State, outcome.Error));
        Assert.Null(outcome.Result);
        Assert.Equal("", TaskOutcome.Failure("").Error);
        Assert.Throws<ArgumentNullException>(() => TaskOutcome.Failure(null!));
    }

    [Fact]
    public void A_cancelled_outcome_has_neither_result_nor_error()
    {
        Assert.Equal(TaskState.Cancelled, TaskOutcome.Cancelled.State);
        Assert.Null(TaskOutcome.Cancelled.Result);
        Assert.Null(TaskOutcome.Cancelled.Error);
    }
}
