namespace Coppice.Rows;

/// <summary>How a task that was just added reads.</summary>
internal static class NewTask
{
    /// <summary>Makes the snapshot of a task without work.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="task">What was asked for.</param>
    /// <param name="createdAt">When.</param>
    public static TaskSnapshot Snapshot(string id, AddTask task, DateTimeOffset createdAt) => new()
    {
        TaskId = id,
        OwnerThreadId = task.OwnerThreadId,
        Type = task.Type,
        Name = task.Name,
        Description = task.Description,
        State = task.State,
        CreatedAt = createdAt,
        Notify = task.Notify,
        AgentThreadId = task.AgentThreadId,
        Continues = task.Continues,
        Lineage = task.Lineage,
    };
}
