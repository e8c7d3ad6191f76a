namespace Coppice.Tests.Tasks;

public sealed class TaskQueryTests
{
    private static readonly DateTimeOffset Noon = DateTimeOffset.FromUnixTimeMilliseconds(1_760_000_000_000);

    private static readonly TaskSnapshot Task = new()
    {
        TaskId = "bg_7",
        OwnerThreadId = "thread-1",
        Type = "crawl",
        Name = "Researcher",
        Description = "Fetch PAGES",
        State = TaskState.Failed,
        Error = "Timed out",
        CreatedAt = Noon,
        Lineage = new() { TaskId = "bg_3", RunId = "run-1" },
    };

    public static TheoryData<TaskQuery> Matching =>
    [
        new TaskQuery(),
        new TaskQuery { OwnerThreadId = "thread-1" },
        new TaskQuery { States = [TaskState.Running, TaskState.Failed] },
        new TaskQuery { Type = "crawl" },
        new TaskQuery { Name = "Researcher" },
        new TaskQuery { RunId = "run-1" },
        new TaskQuery { ParentTaskId = "bg_3" },
        new TaskQuery { CreatedFrom = Noon },
        new TaskQuery { CreatedBefore = Noon.AddMilliseconds(1) },
        new TaskQuery { Text = "" },
        new TaskQuery { Text = "BG_7" },
        new TaskQuery { Text = "research" },
        new TaskQuery { Text = "pages" },
        new TaskQuery { Text = "timed" },
        new TaskQuery
        {
            OwnerThreadId = "thread-1", States = [TaskState.Failed], Type = "crawl", Name = "Researcher", RunId = "run-1",
            ParentTaskId = "bg_3", CreatedFrom = Noon, CreatedBefore = Noon.AddMilliseconds(1), Text = "e",
        },
    ];

    public static TheoryData<TaskQuery> NotMatching =>
    [
        new TaskQuery { OwnerThreadId = "Thread-1" },
        new TaskQuery { OwnerThreadId = "" },
        new TaskQuery { States = [] },
        new TaskQuery { States = [TaskState.Running] },
        new TaskQuery { Type = "Crawl" },
        new TaskQuery { Name = "researcher" },
        new TaskQuery { RunId = "run-2" },
        new TaskQuery { ParentTaskId = "bg_7" },
        new TaskQuery { CreatedFrom = Noon.AddMilliseconds(1) },
        new TaskQuery { CreatedBefore = Noon },
        new TaskQuery { Text = "crawl" },
        new TaskQuery { OwnerThreadId = "thread-1", Type = "other" },
    ];

    [Theory]
    [MemberData(nameof(Matching), DisableDiscoveryEnumeration = true)]
    public void Every_part_that_is_set_lets_the_task_through(TaskQuery query) => Assert.True(query.Matches(Task));

    [Theory]
    [MemberData(nameof(NotMatching), DisableDiscoveryEnumeration = true)]
    public void One_part_that_does_not_fit_keeps_it_out(TaskQuery query) => Assert.False(query.Matches(Task));

    [Fact]
    public void A_task_without_name_or_error_is_searched_in_what_it_has()
    {
        var bare = new TaskSnapshot { TaskId = "bg_1" };

        Assert.True(new TaskQuery { Text = "bg_" }.Matches(bare));
        Assert.False(new TaskQuery { Text = "x" }.Matches(bare));
        Assert.False(new TaskQuery { Name = "x" }.Matches(bare));
    }

    [Fact]
    public void No_task_is_an_argument_error() => Assert.Throws<ArgumentNullException>(() => new TaskQuery().Matches(null!));
}
