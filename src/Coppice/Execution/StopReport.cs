namespace Coppice;

/// <summary>What became of the tasks that <see cref="BackgroundTaskManager.StopTreeAsync"/> reached.</summary>
/// <param name="tasks">The tasks, in the order in which they were reached.</param>
public sealed class StopReport(IReadOnlyList<StoppedTask> tasks)
{
    /// <summary>Gets the tasks that were live, in the order in which they were reached. One that was pruned since is left out.</summary>
    public IReadOnlyList<StoppedTask> Tasks { get; } = tasks ?? throw new ArgumentNullException(nameof(tasks));

    /// <summary>Gets how many ended as cancelled.</summary>
    public int Stopped => Count(StopOutcome.Stopped);

    /// <summary>Gets how many completed or failed all the same.</summary>
    public int FinishedFirst => Count(StopOutcome.FinishedFirst);

    /// <summary>Gets how many were still live when the time was over.</summary>
    public int StillRunning => Count(StopOutcome.StillRunning);

    private int Count(StopOutcome outcome) => Tasks.Count(task => task.Outcome == outcome);
}

/// <summary>What became of one task that was to stop.</summary>
/// <param name="TaskId">The task.</param>
/// <param name="Outcome">What became of it.</param>
/// <param name="State">The state it was in at the last look.</param>
public readonly record struct StoppedTask(string TaskId, StopOutcome Outcome, TaskState State);

/// <summary>What became of a task that was to stop. Cancelling is cooperative: the body decides.</summary>
public enum StopOutcome
{
    /// <summary>It ended as cancelled.</summary>
    Stopped,

    /// <summary>It completed or failed all the same: its end came first, or its body chose another.</summary>
    FinishedFirst,

    /// <summary>It was still live when the time was over. The request stands.</summary>
    StillRunning,
}
