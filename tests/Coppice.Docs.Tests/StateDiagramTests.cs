using System.Text.RegularExpressions;

namespace Coppice.Docs.Tests;

/// <summary>The diagram of a task's states against the rule itself.</summary>
public sealed partial class StateDiagramTests
{
    private const string Page = "docs/reference/task-states.md";

    private static readonly TaskState[] States = Enum.GetValues<TaskState>();

    [Fact]
    public void The_diagram_has_every_move_that_is_allowed_and_no_other()
    {
        var drawn = Arrow().Matches(Pages.Read(Page)).Select(arrow => (arrow.Groups[1].Value, arrow.Groups[2].Value)).ToHashSet();
        var allowed =
            from before in States
            from after in States
            where before.CanMoveTo(after)
            select (before.ToWireName(), after.ToWireName());

        Assert.Equal(allowed.Order(), drawn.Order());
    }

    [Fact]
    public void Tasks_end_where_the_diagram_says_and_the_table_knows_every_state()
    {
        var text = Pages.Read(Page);

        Assert.Equal(
            States.Where(state => state.IsTerminal()).Select(state => state.ToWireName()).Order(StringComparer.Ordinal),
            End().Matches(text).Select(end => end.Groups[1].Value).Order(StringComparer.Ordinal));
        Assert.Equal(
            States.Select(state => (state.ToWireName(), state.IsTerminal() ? "no" : "yes")),
            Row().Matches(text).Select(row => (row.Groups[1].Value, row.Groups[2].Value)));
    }

    [GeneratedRegex(@"^ +(\w+) --> (\w+)", RegexOptions.Multiline)]
    private static partial Regex Arrow();

    [GeneratedRegex(@"^ +(\w+) --> \[\*\]", RegexOptions.Multiline)]
    private static partial Regex End();

    [GeneratedRegex(@"^\| `(\w+)` \|.*\| (yes|no) \|$", RegexOptions.Multiline)]
    private static partial Regex Row();
}
