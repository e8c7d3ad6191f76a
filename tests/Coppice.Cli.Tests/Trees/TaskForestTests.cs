using Coppice.Cli.Tests.Support;
using Coppice.Cli.Trees;

namespace Coppice.Cli.Tests.Trees;

public sealed class TaskForestTests
{
    [Fact]
    public void Children_are_beneath_their_parents_and_strangers_are_roots()
    {
        var roots = TaskForest.Link([Node("a"), Node("b", "a"), Node("c", "b"), Node("d", "gone")]);

        Assert.Equal(["a", "d"], roots.Select(Id));
        Assert.Equal("c", Id(roots[0].Children[0].Children[0]));
    }

    [Fact]
    public void A_circle_is_shown_once_from_its_oldest_task()
    {
        var roots = TaskForest.Link([Node("a", "c"), Node("b", "a"), Node("c", "b"), Node("self", "self")]);

        Assert.Equal(["a", "self"], roots.Select(Id));
        Assert.Empty(roots[0].Children[0].Children[0].Children);
        Assert.Empty(roots[1].Children);
    }

    [Fact]
    public void A_lineage_deeper_than_any_that_was_spawned_is_cut_into_pieces()
    {
        var nodes = Enumerable.Range(0, 1000).Select(i => Node($"t{i}", i == 0 ? null : $"t{i - 1}")).ToList();

        Assert.Equal(["t0", "t256", "t512", "t768"], TaskForest.Link(nodes).Select(Id));
    }

    [Fact]
    public void A_wide_tree_shows_what_did_not_complete_and_counts_the_rest()
    {
        var nodes = Enumerable.Range(0, 100).Select(i => Node($"t{i}", "root", i == 70 ? TaskState.Failed : TaskState.Completed)).ToList();
        var text = Draw(TaskForest.Link([Node("root"), .. nodes]), all: false);

        Assert.Contains("t70 failed", text, StringComparison.Ordinal);
        Assert.Contains("└─ … and 80 more: 80 completed; --all shows them", text, StringComparison.Ordinal);
        Assert.Equal(101, Draw(TaskForest.Link([Node("root"), .. nodes]), all: true).Count(c => c == '\n'));
    }

    private static string Draw(IReadOnlyList<TaskNode> roots, bool all) =>
        TestConsole.Render(TreeRendering.Draw(roots, DateTimeOffset.UnixEpoch, all), 200);

    private static string Id(TaskNode node) => node.Task.TaskId;

    private static TaskNode Node(string id, string? parent = null, TaskState state = TaskState.Completed) =>
        new(new TaskSnapshot { TaskId = id, State = state, Lineage = new TaskLineage { TaskId = parent } });
}
