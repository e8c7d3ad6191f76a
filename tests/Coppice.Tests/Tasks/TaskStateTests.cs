using System.Text.Json;

namespace Coppice.Tests.Tasks;

public sealed class TaskStateTests
{
    private static readonly HashSet<(TaskState From, TaskState To)> Moves =
    [
        (TaskState.Pending, TaskState.Running),
        (TaskState.Pending, TaskState.Cancelled),
        (TaskState.Pending, TaskState.Failed),
        (TaskState.Running, TaskState.InputRequired),
        (TaskState.Running, TaskState.Completed),
        (TaskState.Running, TaskState.Failed),
        (TaskState.Running, TaskState.Cancelled),
        (TaskState.Running, TaskState.Pending),
        (TaskState.InputRequired, TaskState.Running),
        (TaskState.InputRequired, TaskState.Failed),
        (TaskState.InputRequired, TaskState.Cancelled),
    ];

    public static MatrixTheoryData<TaskState, TaskState> EveryPair => new(Enum.GetValues<TaskState>(), Enum.GetValues<TaskState>());

    public static TheoryData<TaskState, string, bool> EveryState => new()
    {
        { TaskState.Pending, "pending", false },
        { TaskState.Running, "running", false },
        { TaskState.InputRequired, "input_required", false },
        { TaskState.Completed, "completed", true },
        { TaskState.Failed, "failed", true },
        { TaskState.Cancelled, "cancelled", true },
    };

    [Theory]
    [MemberData(nameof(EveryPair))]
    public void Only_the_listed_moves_are_allowed(TaskState from, TaskState to) =>
        Assert.Equal(Moves.Contains((from, to)), from.CanMoveTo(to));

    [Theory]
    [InlineData((TaskState)(-1))]
    [InlineData((TaskState)6)]
    public void A_state_that_is_not_defined_has_no_moves_and_no_name(TaskState undefined)
    {
        foreach (var state in Enum.GetValues<TaskState>())
        {
            Assert.False(state.CanMoveTo(undefined));
            Assert.False(undefined.CanMoveTo(state));
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => undefined.ToWireName());
    }

    [Fact]
    public void There_are_six_states() => Assert.Equal(EveryState.Count, Enum.GetValues<TaskState>().Length);

    [Theory]
    [MemberData(nameof(EveryState))]
    public void A_state_has_its_wire_name_and_is_terminal_or_not(TaskState state, string name, bool terminal)
    {
        Assert.Equal(name, state.ToWireName());
        Assert.Equal(terminal, state.IsTerminal());
        Assert.True(TaskStateExtensions.TryParseWireName(name, out var parsed));
        Assert.Equal(state, parsed);
    }

    [Theory]
    [MemberData(nameof(EveryState))]
    public void A_state_is_its_wire_name_in_json_also_as_a_key(TaskState state, string name, bool terminal)
    {
        Assert.Equal(terminal, state.IsTerminal());
        Assert.Equal($"\"{name}\"", JsonSerializer.Serialize(state));
        Assert.Equal(state, JsonSerializer.Deserialize<TaskState>($"\"{name}\""));

        var counts = new Dictionary<TaskState, int> { [state] = 3 };
        Assert.Equal($"{{\"{name}\":3}}", JsonSerializer.Serialize(counts));
        Assert.Equal(counts, JsonSerializer.Deserialize<Dictionary<TaskState, int>>($"{{\"{name}\":3}}"));
    }

    [Theory]
    [InlineData("Running")]
    [InlineData("RUNNING")]
    [InlineData(" running")]
    [InlineData("inputRequired")]
    [InlineData("1")]
    [InlineData("")]
    [InlineData(null)]
    public void Another_name_is_no_state(string? name)
    {
        Assert.False(TaskStateExtensions.TryParseWireName(name, out var state));
        Assert.Equal(default, state);
    }

    [Theory]
    [InlineData("\"Running\"")]
    [InlineData("1")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("true")]
    [InlineData("\"\\ud800\"")]
    public void Json_that_is_no_state_is_a_json_error(string json) =>
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<TaskState>(json));
}
