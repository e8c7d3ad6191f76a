namespace Coppice;

/// <summary>A place in a list of tasks, which run by creation time, then by the number in their id, then by id.</summary>
/// <param name="CreatedAt">The creation time of the task before the place.</param>
/// <param name="TaskId">Its id.</param>
public readonly record struct TaskCursor(DateTimeOffset CreatedAt, string TaskId)
{
    /// <summary>The place right after a task.</summary>
    /// <param name="task">The task.</param>
    /// <exception cref="ArgumentNullException"><paramref name="task"/> is <see langword="null"/>.</exception>
    public static TaskCursor After(TaskSnapshot task)
    {
        ArgumentNullException.ThrowIfNull(task);
        return new(task.CreatedAt, task.TaskId);
    }

    /// <summary>The order of lists. Ids that no store gives come after those of the same time that one does.</summary>
    /// <param name="left">One place.</param>
    /// <param name="right">Another.</param>
    public static int Compare(TaskCursor left, TaskCursor right)
    {
        var byTime = left.CreatedAt.CompareTo(right.CreatedAt);
        if (byTime != 0)
        {
            return byTime;
        }

        var leftNumber = TaskIds.TryParse(left.TaskId, out var l) ? l : long.MaxValue;
        var rightNumber = TaskIds.TryParse(right.TaskId, out var r) ? r : long.MaxValue;
        var byNumber = leftNumber.CompareTo(rightNumber);
        return byNumber != 0 ? byNumber : string.CompareOrdinal(left.TaskId, right.TaskId);
    }
}
