using Coppice.Cli.Trees;

namespace Coppice.Cli.Tests.Trees;

public sealed class TaskStoryTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void It_tells_who_spawned_a_task_and_what_was_asked_of_it()
    {
        var root = Task("bg_0", "planner") with { Lineage = new TaskLineage { RunId = "run-1", CallId = "call-9", AgentId = "boss" } };
        var middle = Task("bg_3", "src") with { Lineage = new TaskLineage { TaskId = "bg_0" } };
        var task = Task("bg_7", "reader") with
        {
            Description = "Read the diff", State = TaskState.Completed, CompletedAt = Start.AddSeconds(2), Lineage = new TaskLineage { TaskId = "bg_3" },
        };
        var story = Tell(task, [task, middle, root]);

        Assert.Contains("bg_7 \"reader\" is a task of type task on thread t1.", story, StringComparison.Ordinal);
        Assert.Contains("It was asked to: Read the diff", story, StringComparison.Ordinal);
        Assert.Contains("beneath bg_3 \"src\".", story, StringComparison.Ordinal);
        Assert.Contains("Its line goes up: bg_7 \"reader\" ← bg_3 \"src\" ← bg_0 \"planner\".", story, StringComparison.Ordinal);
        Assert.Contains("was spawned by agent boss in tool call call-9 of run run-1.", story, StringComparison.Ordinal);
        Assert.Contains("It completed after 2.0 s", story, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("user", "for this task alone")]
    [InlineData("thread", "by a cancel of all tasks of the thread t1")]
    [InlineData("run:r7", "by a cancel of the run r7")]
    [InlineData("tree:bg_7", "by a cancel of its own tree")]
    [InlineData("tree:bg_0", "by a cancel of the tree of bg_0 \"root\"")]
    [InlineData("tree:bg_99", "by a cancel of the tree of bg_99")]
    [InlineData("someone\u001b[2J", "by someone\\x1b[2J")]
    public void It_tells_who_cancelled_a_task(string by, string told)
    {
        var task = Task("bg_7", null) with
        {
            State = TaskState.Cancelled, CancelRequestedAt = Start.AddSeconds(1), CompletedAt = Start.AddSeconds(2), CancelledBy = by,
        };
        var story = Tell(task, [task], by == "tree:bg_0" ? Task("bg_0", "root") : null);

        Assert.Contains($"Its cancellation was requested 1.0 s after its start, {told}.", story, StringComparison.Ordinal);
        Assert.Contains("tasks spawned beneath it are refused", story, StringComparison.Ordinal);
        Assert.Contains("It was cancelled after 2.0 s", story, StringComparison.Ordinal);
    }

    [Fact]
    public void It_tells_whose_conversation_a_task_goes_on_with()
    {
        var task = Task("bg_7", null) with { Type = "sub_agent", Continues = "bg_\u001b3", AgentThreadId = "agent-1" };

        Assert.Contains("It goes on with the conversation of bg_\\x1b3, which had ended.", Tell(task, [task]), StringComparison.Ordinal);
    }

    [Fact]
    public void It_tells_what_a_pending_task_of_a_registered_kind_waits_for()
    {
        var task = Task("bg_7", null) with { State = TaskState.Pending, Work = Work() };

        Assert.Contains("It waits for a host that knows the kind cra\\x1bwl and has room.", Tell(task, [task]), StringComparison.Ordinal);
        task = task with { Work = Work() with { Attempt = 2, Failures = 1, Crashes = 1, LastError = "slow\u001b[2J", DueAt = Start.AddHours(1) } };
        var story = Tell(task, [task]);
        Assert.Contains("It waits for its time, 2026-03-01", story, StringComparison.Ordinal);
        Assert.Contains("It was begun 2 times, of which 1 failed and 1 ended with their process. The last attempt failed: slow\\x1b[2J", story, StringComparison.Ordinal);
    }

    [Fact]
    public void It_tells_how_often_a_task_was_begun()
    {
        var task = Task("bg_7", null) with { State = TaskState.Completed, CompletedAt = Start, Work = Work() with { Attempt = 3, Failures = 2 } };

        Assert.Contains("It was begun 3 times, of which 2 failed.", Tell(task, [task]), StringComparison.Ordinal);
    }

    [Fact]
    public void It_tells_that_a_body_had_the_last_word()
    {
        var task = Task("bg_7", null) with { State = TaskState.Completed, CancelRequestedAt = Start, CompletedAt = Start, CancelledBy = "user" };

        Assert.Contains("all the same: its body had the last word", Tell(task, [task]), StringComparison.Ordinal);
    }

    [Fact]
    public void It_tells_an_orphan_from_a_failure()
    {
        var orphan = Task("bg_7", null) with { State = TaskState.Failed, Error = Orphans.Error, CompletedAt = Start };
        var failure = orphan with { Error = "boom\u001b]0;x" };

        Assert.Contains("It was orphaned: the process that ran it ended while it ran", Tell(orphan, [orphan]), StringComparison.Ordinal);
        Assert.Contains("It failed after 0 ms", Tell(failure, [failure]), StringComparison.Ordinal);
        Assert.Contains("boom\\x1b]0;x", Tell(failure, [failure]), StringComparison.Ordinal);
    }

    [Fact]
    public void It_tells_what_a_live_task_waits_for()
    {
        var task = Task("bg_7", null);

        Assert.Contains("It runs, for", Tell(task, [task]), StringComparison.Ordinal);
        Assert.Contains("Beneath it lives bg_8 \"kid\".", Tell(task, [task], live: [Task("bg_8", "kid")]), StringComparison.Ordinal);
        Assert.Contains("not yet heeded", Tell(task with { CancelRequestedAt = Start }, [task]), StringComparison.Ordinal);
        Assert.Contains("waits to be started", Tell(task with { State = TaskState.Pending }, [task]), StringComparison.Ordinal);
        Assert.Contains("answer from outside", Tell(task with { State = TaskState.InputRequired }, [task]), StringComparison.Ordinal);
    }

    [Fact]
    public void It_says_when_a_parent_is_not_in_the_store_or_the_line_is_a_circle()
    {
        var stray = Task("bg_7", null) with { Lineage = new TaskLineage { TaskId = "bg_404" } };
        var a = Task("a", null) with { Lineage = new TaskLineage { TaskId = "b" } };
        var b = Task("b", null) with { Lineage = new TaskLineage { TaskId = "a" } };

        Assert.Contains("bg_404, which is not in this store", Tell(stray, [stray]), StringComparison.Ordinal);
        Assert.Contains("closes in a circle", Tell(a, [a, b]), StringComparison.Ordinal);
    }

    private static TaskSnapshot Task(string id, string? name) =>
        new() { TaskId = id, OwnerThreadId = "t1", Name = name, State = TaskState.Running, CreatedAt = Start };

    private static TaskWork Work() => new() { Kind = "cra\u001bwl", Input = System.Text.Json.JsonDocument.Parse("{}").RootElement };

    private static string Tell(TaskSnapshot task, IReadOnlyList<TaskSnapshot> lineage, TaskSnapshot? canceller = null, IReadOnlyList<TaskSnapshot>? live = null) =>
        string.Join('\n', new TaskStory(task, lineage, canceller, live ?? [], TimeProvider.System).Tell());
}
