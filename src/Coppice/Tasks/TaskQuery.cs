namespace Coppice;

/// <summary>Which tasks to list or to watch. Every part that is set narrows the answer; an empty query means all tasks.</summary>
public sealed record TaskQuery
{
    /// <summary>Gets the owner thread.</summary>
    public string? OwnerThreadId { get; init; }

    /// <summary>Gets the states, of which a task has one.</summary>
    public IReadOnlyCollection<TaskState>? States { get; init; }

    /// <summary>Gets the type, compared exactly.</summary>
    public string? Type { get; init; }

    /// <summary>Gets the registered kind, compared exactly.</summary>
    public string? Kind { get; init; }

    /// <summary>Gets the name, compared exactly.</summary>
    public string? Name { get; init; }

    /// <summary>Gets the run in the lineage.</summary>
    public string? RunId { get; init; }

    /// <summary>Gets the parent task in the lineage.</summary>
    public string? ParentTaskId { get; init; }

    /// <summary>Gets the earliest creation time, inclusive.</summary>
    public DateTimeOffset? CreatedFrom { get; init; }

    /// <summary>Gets the end of the creation times, exclusive.</summary>
    public DateTimeOffset? CreatedBefore { get; init; }

    /// <summary>Gets a text that stands in the id, the name, the description or the error, compared without case.</summary>
    public string? Text { get; init; }

    /// <summary>Gets whether no ended task can match. Stores then walk the live ones only.</summary>
    internal bool AsksOnlyLive => States is { } states && !states.Any(static state => state.IsTerminal());

    /// <summary>Whether a task is among those asked for. This is what every store and every watch goes by.</summary>
    /// <param name="task">The task.</param>
    /// <exception cref="ArgumentNullException"><paramref name="task"/> is <see langword="null"/>.</exception>
    public bool Matches(TaskSnapshot task)
    {
        ArgumentNullException.ThrowIfNull(task);
        return (OwnerThreadId is null || task.OwnerThreadId == OwnerThreadId)
            && (States is null || States.Contains(task.State))
            && (Type is null || task.Type == Type)
            && (Kind is null || task.Work?.Kind == Kind)
            && (Name is null || task.Name == Name)
            && (RunId is null || task.Lineage.RunId == RunId)
            && (ParentTaskId is null || task.Lineage.TaskId == ParentTaskId)
            && (CreatedFrom is null || task.CreatedAt >= CreatedFrom)
            && (CreatedBefore is null || task.CreatedAt < CreatedBefore)
            && (Text is null || Contains(task, Text));
    }

    private static bool Contains(TaskSnapshot task, string text) =>
        task.TaskId.Contains(text, StringComparison.OrdinalIgnoreCase)
        || (task.Name?.Contains(text, StringComparison.OrdinalIgnoreCase) ?? false)
        || task.Description.Contains(text, StringComparison.OrdinalIgnoreCase)
        || (task.Error?.Contains(text, StringComparison.OrdinalIgnoreCase) ?? false);
}
