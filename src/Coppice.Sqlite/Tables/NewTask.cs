using System.Runtime.InteropServices;

namespace Coppice.Sqlite;

/// <summary>A task that was just added, as it reads.</summary>
internal static class NewTask
{
    /// <summary>Makes the snapshot that the file would give.</summary>
    /// <returns>The snapshot, or <see langword="null"/> when its input is too long to remember.</returns>
    public static TaskSnapshot? Snapshot(string id, AddTask task, DateTimeOffset createdAt, in WorkHead? work)
    {
        if (task.Work is { } added && JsonMarshal.GetRawUtf8Value(added.Input).Length > RecentTasks.MaxText)
        {
            return null;
        }

        return new TaskSnapshot
        {
            TaskId = id,
            OwnerThreadId = task.OwnerThreadId,
            Type = task.Type,
            Name = task.Name,
            Description = task.Description,
            State = task.Work is null ? task.State : TaskState.Pending,
            CreatedAt = createdAt,
            Notify = task.Notify,
            AgentThreadId = task.AgentThreadId,
            Continues = task.Continues,
            Work = task.Work is { } withWork ? Work(withWork, work!.Value) : null,
            Lineage = task.Lineage,
        };
    }

    // The input is read anew, because the caller's may be a part of something larger.
    private static TaskWork Work(NewWork work, in WorkHead head) => new()
    {
        Kind = work.Kind,
        Version = work.Version,
        Input = TaskRow.ReadJson(work.Input.GetRawText()),
        Recovery = work.Recovery,
        Priority = work.Priority,
        DueAt = head.DueAt,
        Deadline = head.Deadline,
        IdempotencyKey = work.IdempotencyKey,
    };
}
