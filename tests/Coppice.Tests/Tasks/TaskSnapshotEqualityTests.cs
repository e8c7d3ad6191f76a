using System.Text.Json;
using Coppice.Tests.Wire;

namespace Coppice.Tests.Tasks;

public sealed class TaskSnapshotEqualityTests
{
    public static TheoryData<string> Differences => [.. Changed.Keys];

    private static readonly Dictionary<string, TaskSnapshot> Changed = new()
    {
        ["task id"] = WireExamples.FullTask with { TaskId = "bg_8" },
        ["owner"] = WireExamples.FullTask with { OwnerThreadId = "Thread-1" },
        ["type"] = WireExamples.FullTask with { Type = "task" },
        ["name"] = WireExamples.FullTask with { Name = null },
        ["description"] = WireExamples.FullTask with { Description = "" },
        ["state"] = WireExamples.FullTask with { State = TaskState.Failed },
        ["error"] = WireExamples.FullTask with { Error = "boom" },
        ["result"] = WireExamples.FullTask with { Result = WireExamples.Element("""{"pages":4}""") },
        ["no result"] = WireExamples.FullTask with { Result = null },
        ["null result"] = WireExamples.FullTask with { Result = WireExamples.Element("null") },
        ["created"] = WireExamples.FullTask with { CreatedAt = WireExamples.FullTask.CreatedAt.AddMilliseconds(1) },
        ["completed"] = WireExamples.FullTask with { CompletedAt = null },
        ["cancel requested"] = WireExamples.FullTask with { CancelRequestedAt = null },
        ["cancelled by"] = WireExamples.FullTask with { CancelledBy = "user" },
        ["notify"] = WireExamples.FullTask with { Notify = NotifyPolicy.Silent },
        ["agent thread"] = WireExamples.FullTask with { AgentThreadId = null },
        ["continues"] = WireExamples.FullTask with { Continues = "bg_6" },
        ["work"] = WireExamples.FullTask with { Work = WireExamples.FullWork },
        ["pending reason"] = WireExamples.FullTask with { PendingReason = PendingReason.Queued },
        ["lineage"] = WireExamples.FullTask with { Lineage = TaskLineage.None },
    };

    [Theory]
    [MemberData(nameof(Differences))]
    public void Tasks_that_differ_in_one_part_are_not_equal(string part) => Assert.NotEqual(WireExamples.FullTask, Changed[part]);

    [Fact]
    public void Every_property_takes_part()
    {
        // One entry a property, and two more for the ways in which a result can differ.
        Assert.Equal(typeof(TaskSnapshot).GetProperties().Length + 2, Changed.Count);
    }

    [Theory]
    [InlineData("""{"a":1,"b":[1,2]}""", """{ "b" : [1, 2], "a" : 1 }""")]
    [InlineData("1.0e2", "100")]
    [InlineData("\"a\"", "\"\\u0061\"")]
    [InlineData("null", " null ")]
    public void Results_are_compared_as_json_values(string left, string right)
    {
        var one = WireExamples.FullTask with { Result = WireExamples.Element(left) };
        var other = WireExamples.FullTask with { Result = WireExamples.Element(right) };

        Assert.Equal(one, other);
        Assert.Equal(one.GetHashCode(), other.GetHashCode());
        Assert.Equal(new TaskCompleted("bg_1", one.Result), new TaskCompleted("bg_1", other.Result));
        Assert.Equal(
            new CustomTaskEvent("bg_1", "e", one.Result!.Value).GetHashCode(),
            new CustomTaskEvent("bg_1", "e", other.Result!.Value).GetHashCode());
    }

    [Theory]
    [InlineData("1E99999999999")]
    [InlineData("1E-99999999999")]
    [InlineData("\"\\ud800\"")]
    [InlineData("""{"\ud800":1}""")]
    [InlineData("""{"a":1,"a":2}""")]
    public void A_result_that_few_can_read_is_equal_to_itself_and_to_no_other(string hostile)
    {
        var one = WireExamples.FullTask with { Result = WireExamples.Element(hostile) };
        var same = WireExamples.FullTask with { Result = WireExamples.Element(hostile) };

        Assert.True(one.Equals(same));
        Assert.False(one.Equals(WireExamples.FullTask));
        Assert.True(new TaskCompleted("bg_1", one.Result).Equals(new TaskCompleted("bg_1", same.Result)));
    }

    [Fact]
    public void Undefined_elements_are_equal_to_each_other_only()
    {
        var undefined = WireExamples.FullTask with { Result = default(JsonElement) };

        Assert.Equal(undefined, WireExamples.FullTask with { Result = default(JsonElement) });
        Assert.NotEqual(undefined, WireExamples.FullTask);
        Assert.NotEqual(WireExamples.FullTask, undefined);
    }
}
