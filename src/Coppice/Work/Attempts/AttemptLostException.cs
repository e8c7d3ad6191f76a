namespace Coppice;

/// <summary>
/// This attempt at a task is over: it took too long, its host was given up, or the task has ended. What it does from now on is not stored.
/// </summary>
/// <param name="taskId">The task.</param>
public sealed class AttemptLostException(string taskId)
    : CoppiceException(
        "attempt_lost",
        $"This attempt at task '{taskId}' is over: it took too long, its host was given up for dead, or the task has ended. "
        + "Stop working on it; whatever comes next is another attempt's.")
{
    /// <summary>Gets the task.</summary>
    public string TaskId { get; } = taskId;
}
