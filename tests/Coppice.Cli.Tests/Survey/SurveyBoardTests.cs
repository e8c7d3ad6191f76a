using System.Text.Json;
using Coppice.Cli.Rendering;
using Coppice.Cli.Survey;
using Coppice.Cli.Tests.Support;

namespace Coppice.Cli.Tests.Survey;

public sealed class SurveyBoardTests
{
    private readonly SurveyBoard _board = new();

    [Fact]
    public void Live_tasks_are_shown_beneath_their_parents_with_a_bar()
    {
        Spawn("bg_0", null, "surveyor");
        Spawn("bg_1", "bg_0", "src");
        Spawn("bg_2", "bg_1", "src/Coppice");
        Emit("bg_2", new FolderProgress(Listed: true, 6, 12, 100, 50, 100));

        Assert.Equal(
            """
            Starting 0 ms
            surveyor                       running
            └─ src                         begins
               └─ Coppice                  ━━━━───── 6 of 12 files
            notice

            """, Draw(76, 24));
    }

    [Fact]
    public void A_tree_larger_than_the_screen_shows_what_lives()
    {
        Spawn("bg_0", null, "surveyor");
        foreach (var i in Enumerable.Range(1, 1000))
        {
            Spawn($"bg_{i}", "bg_0", $"f{i}");
            if (i < 1000)
            {
                End($"bg_{i}", "bg_0", $"f{i}", TaskState.Cancelled);
            }
        }

        var lines = Draw(60, 12).Split('\n');

        Assert.True(lines.Length <= 12);
        Assert.Contains(lines, line => line.Contains("f1000", StringComparison.Ordinal));
        Assert.All(lines, line => Assert.True(line.Length <= 60));
    }

    [Fact]
    public void What_has_ended_is_forgotten_beyond_a_bound()
    {
        Spawn("bg_0", null, "surveyor");
        foreach (var i in Enumerable.Range(1, 20_000))
        {
            Spawn($"bg_{i}", "bg_0", $"f{i}");
            End($"bg_{i}", "bg_0", $"f{i}", TaskState.Completed);
        }

        Assert.InRange(_board.Visible(int.MaxValue).Count, 2, 600);
    }

    [Fact]
    public void A_hostile_name_is_shown_escaped()
    {
        Spawn("bg_0", null, "\u001b[2J[red]x");

        Assert.Contains("\\x1b[2J[red]x", Draw(80, 24), StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', Draw(80, 24));
    }

    private static TaskSnapshot Task(string id, string? parent, string name, TaskState state = TaskState.Running) => new()
    {
        TaskId = id,
        Name = name,
        Type = parent is null ? TaskTypes.SubAgent : FolderTask.Type,
        State = state,
        Lineage = new TaskLineage { TaskId = parent },
    };

    private void Spawn(string id, string? parent, string name) => _board.Apply(new TaskChange(1, TaskChangeKind.Spawned, Task(id, parent, name)));

    private void End(string id, string parent, string name, TaskState state) =>
        _board.Apply(new TaskChange(1, TaskChangeKind.Ended, Task(id, parent, name, state)));

    private void Emit(string id, FolderProgress progress) => _board.Apply(new TaskChange(
        1, TaskChangeKind.Emitted, Task(id, "bg_1", "src/Coppice"),
        new CustomTaskEvent(id, FolderTask.ProgressEvent, JsonSerializer.SerializeToElement(progress, SurveyJson.Default.FolderProgress))));

    private string Draw(int width, int height) => TestConsole.Render(
        BoardRendering.Draw(_board, width, height, TimeSpan.Zero, new TextLine().Add("notice")), width);
}
