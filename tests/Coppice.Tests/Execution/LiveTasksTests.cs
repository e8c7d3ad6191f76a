namespace Coppice.Tests.Execution;

/// <summary>The bodies that run here, by the ids of their tasks.</summary>
public sealed class LiveTasksTests
{
    [Fact]
    public void Of_two_attempts_at_a_task_the_later_is_found_however_many_others_come_and_go()
    {
        var live = new LiveTasks(WorkScheduler.Pool, new TaskWaiters(WorkScheduler.Pool));
        var later = Attempt(claim: 2);
        live.Add(Attempt(claim: 1));
        live.Add(later);
        var others = Enumerable.Range(1, 20_000).Select(static number => Plain(TaskIds.Format(number))).ToList();

        foreach (var other in others)
        {
            live.Add(other);
            AssertFound(live, later);
        }

        foreach (var other in others)
        {
            live.Remove(other);
            AssertFound(live, later);
        }
    }

    private static void AssertFound(LiveTasks live, LiveTask due)
    {
        Assert.True(live.TryGet("bg_0", out var found));
        Assert.Same(due, found);
    }

    private static LiveTask Plain(string taskId)
    {
        var task = new LiveTask(null!, null!, isBlocking: false);
        task.TryLand(taskId, 1);
        return task;
    }

    private static LiveTask Attempt(long claim)
    {
        var snapshot = new TaskSnapshot { TaskId = "bg_0", OwnerThreadId = "t", Work = new TaskWork { Kind = "kind" } };
        var task = new LiveTask(null!, null!, isBlocking: false);
        task.Describe(new TaskAttempt(null!, null!, new ClaimedWork(snapshot, claim, 0, null)), Guid.Empty);
        task.TryLand("bg_0", claim);
        return task;
    }
}
