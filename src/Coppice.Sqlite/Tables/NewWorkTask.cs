using System.Runtime.InteropServices;

namespace Coppice.Sqlite;

/// <summary>How a task reads that was just added and may have work.</summary>
internal static class NewWorkTask
{
    /// <summary>Makes the snapshot.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="task">What was asked for.</param>
    /// <param name="createdAt">When.</param>
    /// <param name="work">Its work, if it has any.</param>
    /// <returns>The snapshot, or <see langword="null"/> when its input is too long to remember.</returns>
    public static TaskSnapshot? Snapshot(string id, AddTask task, DateTimeOffset createdAt, in WorkHead? work) =>
        task.Work is not { } added ? NewTask.Snapshot(id, task, createdAt)
        : JsonMarshal.GetRawUtf8Value(added.Input).Length > RecentTasks.MaxText ? null
        : NewTask.Snapshot(id, task, createdAt) with { State = TaskState.Pending, Work = Work(added, work!.Value) };

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
