using System.Text.Json;

namespace Coppice.Cluster.Tests;

/// <summary>Each law of a cluster notices what breaks it: a history that holds, with one thing changed.</summary>
public sealed class ClusterLawsTests
{
    private const string Receipt = "r1";
    private const string Orphaned = "task orphaned: runtime restarted while running";

    private static readonly string[] Good =
    [
        "1 S t0 bg_0 red", "2 B bg_0", "3 O bg_0 completed r1", "4 E bg_0 completed",
        "5 S t0 bg_1 red", "6 B bg_1", "7 O bg_1 failed r2",
        "8 K t0 key bg_2", "9 I bg_2 1", "10 P bg_2 0 p1", "11 T bg_2 0 p1", "12 I bg_2 2", "13 T bg_2 0 p1", "14 O bg_2 completed 2:p1",
        "15 K t0 - bg_3", "16 I bg_3 1", "17 O bg_3 completed 1:h0.bg_3 1,h0.bg_3 2",
        "18 X bg_4", "19 K t0 once bg_4", "20 I bg_4 1",
        "30 M m0 h0 1", "31 M m0 h0 2", "32 M m0 h1 1", "33 Y m0 a", "34 R m0 a 1 h0 1", "35 R m0 a 2 h1 1", "36 A m0 a 1", "37 Y m0 b", "38 R m0 b 2 h1 1",
        "40 F store_unavailable transient gone",
    ];

    private static readonly TaskSnapshot[] Tasks =
    [
        Task(0, TaskState.Completed, result: Receipt, name: "red"),
        Task(1, TaskState.Failed, error: "r2", name: "red"),
        Task(2, TaskState.Completed, result: "2:p1", work: Work("steps", RecoveryPolicy.Resumable, 2)),
        Task(3, TaskState.Completed, result: "1:h0.bg_3 1,h0.bg_3 2", work: Work("reader", RecoveryPolicy.Resumable, 1)),
        Task(4, TaskState.Cancelled, work: Work("once", RecoveryPolicy.Never, 1)),
    ];

    [Fact]
    public void A_history_in_which_all_holds_breaks_nothing() => Assert.Empty(Check(Good, End()));

    [Theory]
    [InlineData("nothing acknowledged is lost", "50 S t0 bg_9 -")]
    [InlineData("nothing acknowledged is lost", "50 K t0 other bg_9")]
    [InlineData("an id is given once", "50 S t0 bg_0 red")]
    [InlineData("an id is given once", "50 K t0 key bg_3")]
    [InlineData("an id is given once", "50 S t1 bg_2 -")]
    [InlineData("every task has ended", "50 E bg_0 failed")]
    [InlineData("nothing is committed by a host that was given up", "50 B bg_0")]
    [InlineData("nothing is committed by a host that was given up", "50 I bg_2 2")]
    [InlineData("nothing is committed by a host that was given up", "50 I bg_4 2")]
    [InlineData("a stored step is not paid for again", "12 P bg_2 0 p2")]
    [InlineData("a stored step is not paid for again", "50 T bg_2 0 p2")]
    [InlineData("a stored step is not paid for again", "50 T bg_2 1 p3")]
    [InlineData("every message is there once", "50 M m0 h1 2")]
    [InlineData("every message is there once", "50 R m0 b 4 h0 1")]
    [InlineData("every message is there once", "50 R m0 b 2 h0 3")]
    [InlineData("every message is there once", "50 R m0 b 5 h0 4")]
    [InlineData("what was acknowledged does not come again", "50 R m0 b 1 h0 1")]
    [InlineData("what was acknowledged does not come again", "50 A m0 b 3")]
    [InlineData("a fault of the database is said to pass", "50 F store_rejected lasting no")]
    public void A_line_too_many_is_noticed(string law, string line) =>
        Noticed(law, [.. Good, line], End());

    [Theory]
    [InlineData("nothing is committed by a host that was given up", "3 O bg_0 completed r1")]
    [InlineData("nothing is committed by a host that was given up", "7 O bg_1 failed r2")]
    [InlineData("every task has ended", "18 X bg_4")]
    [InlineData("a stored step is not paid for again", "10 P bg_2 0 p1")]
    public void A_line_too_few_is_noticed(string law, string line) => Noticed(law, [.. Good.Where(good => good != line)], End());

    [Fact]
    public void Two_live_tasks_of_one_name_are_noticed() =>
        Noticed("a name has one live task", [.. Good.Select(static line => line == "5 S t0 bg_1 red" ? "2 S t0 bg_1 red" : line)], End());

    [Fact]
    public void A_task_that_goes_on_is_noticed() => Noticed("every task has ended", Good, End(tasks: [.. Tasks[..4], Tasks[4] with { State = TaskState.Running }]));

    [Fact]
    public void A_result_of_an_attempt_that_was_given_up_is_noticed() => Noticed(
        "nothing is committed by a host that was given up", [.. Good, "13 O bg_2 completed 1:p1"], End(tasks: With(2, task => task with { Result = Json("1:p1") })));

    [Fact]
    public void An_agent_that_had_a_message_twice_is_noticed() => Noticed(
        "agents have had their messages", Good, End(tasks: With(3, static task => task with { Result = Json("1:h0.bg_3 1,h0.bg_3 1") })));

    [Fact]
    public void An_end_that_changed_is_noticed() => Noticed(
        "a task whose end was seen does not change", Good, End(seen: [Tasks[0] with { State = TaskState.Failed, Error = Orphaned, Result = null }]));

    [Fact]
    public void An_end_that_told_nobody_is_noticed() => Noticed("every end is one event", Good, End(mail: [.. Mail().Skip(1)]));

    [Fact]
    public void An_end_that_was_told_twice_is_noticed() => Noticed("every end is one event", Good, End(mail: [.. Mail(), Mail()[0] with { Sequence = 99 }]));

    [Fact]
    public void An_end_that_was_told_otherwise_is_noticed() =>
        Noticed("every end is one event", Good, End(mail: [new InboxItem(1, new TaskFailed("bg_0", Orphaned)), .. Mail().Skip(1)]));

    [Fact]
    public void Something_told_after_the_end_is_noticed() =>
        Noticed("every end is one event", Good, End(mail: [.. Mail(), new InboxItem(99, new CustomTaskEvent("bg_0", "step", JsonElement.Parse("0")))]));

    [Fact]
    public void A_gap_in_what_a_task_emitted_is_noticed() =>
        Noticed("every end is one event", Good, End(mail: [new InboxItem(0, new CustomTaskEvent("bg_0", "step", JsonElement.Parse("1"))), .. Mail()]));

    [Fact]
    public void Counts_of_the_store_that_do_not_add_up_are_noticed() => Noticed("what the store counts", Good, End() with { Leftovers = ["lanes: 1"] });

    private static void Noticed(string law, string[] lines, ClusterEnd end) =>
        Assert.Contains(Check(lines, end), broken => broken.StartsWith(law, StringComparison.Ordinal));

    private static IReadOnlyList<string> Check(string[] lines, ClusterEnd end) => ClusterLaws.Check(new HostHistory(lines.Select(static line => HostHistory.Parse("h0", line))), end);

    private static ClusterEnd End(TaskSnapshot[]? tasks = null, InboxItem[]? mail = null, TaskSnapshot[]? seen = null) => new(
        (tasks ?? Tasks).ToDictionary(static task => task.TaskId),
        new Dictionary<string, IReadOnlyList<InboxItem>>
        {
            ["t0"] = mail ?? Mail(),
            ["m0"] = [new InboxItem(2, Message("h1 1")), new InboxItem(3, Message("h0 2"))],
        },
        seen ?? Tasks[..2],
        []);

    private static TaskSnapshot[] With(int place, Func<TaskSnapshot, TaskSnapshot> change) => [.. Tasks.Select((task, at) => at == place ? change(task) : task)];

    private static InboxItem[] Mail() => [.. Tasks.Select(static (task, place) => new InboxItem(place + 1, task.State switch
    {
        TaskState.Completed => new TaskCompleted(task.TaskId, task.Result),
        TaskState.Failed => new TaskFailed(task.TaskId, task.Error!),
        _ => new TaskCancelled(task.TaskId),
    }))];

    private static ThreadMessage Message(string content) => new(content, "s", "caller", content);

    private static JsonElement Json(string text) => JsonElement.Parse($"\"{text}\"");

    private static TaskWork Work(string kind, RecoveryPolicy recovery, int attempt) => new() { Kind = kind, Recovery = recovery, Attempt = attempt, Input = Json("") };

    private static TaskSnapshot Task(int number, TaskState state, string? result = null, string? error = null, string? name = null, TaskWork? work = null) => new()
    {
        TaskId = FormattableString.Invariant($"bg_{number}"),
        OwnerThreadId = "t0",
        State = state,
        Name = name,
        Result = result is null ? null : Json(result),
        Error = error,
        Work = work,
    };
}
