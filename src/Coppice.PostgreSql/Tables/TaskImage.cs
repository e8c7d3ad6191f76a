namespace Coppice.PostgreSql;

/// <summary>A row of tasks as it is going to be. What is set once and was set by an earlier transaction need not be in it.</summary>
internal sealed record TaskImage(TaskHead Head)
{
    /// <summary>Gets what never changes, where the row is a new one.</summary>
    public NewTaskRow? New { get; init; }

    public DateTimeOffset? CompletedAt { get; init; }

    public DateTimeOffset? CancelAt { get; init; }

    public string? CancelledBy { get; init; }

    public string? Error { get; init; }

    public string? Result { get; init; }

    /// <summary>This image on top of an earlier one.</summary>
    public static TaskImage Over(TaskImage before, TaskImage now) => new(now.Head)
    {
        New = before.New,
        CompletedAt = now.CompletedAt ?? before.CompletedAt,
        CancelAt = now.CancelAt ?? before.CancelAt,
        CancelledBy = now.CancelledBy ?? before.CancelledBy,
        Error = now.Error ?? before.Error,
        Result = now.Result ?? before.Result,
    };
}

/// <summary>What never changes of a task.</summary>
internal sealed record NewTaskRow(
    DateTimeOffset CreatedAt, long? ParentOwner, long? Continues, NotifyPolicy Notify, string Type, string? Name, TaskLineage Lineage, string Description);
