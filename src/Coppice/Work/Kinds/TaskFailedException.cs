namespace Coppice;

/// <summary>A task failed whose result was waited for.</summary>
/// <param name="taskId">The task.</param>
/// <param name="error">Its error.</param>
public sealed class TaskFailedException(string taskId, string error)
    : CoppiceException("task_failed", $"Task '{taskId}' failed: {error}")
{
    /// <summary>Gets the task.</summary>
    public string TaskId { get; } = taskId;

    /// <summary>Gets its error, as it is stored.</summary>
    public string Error { get; } = error;
}
