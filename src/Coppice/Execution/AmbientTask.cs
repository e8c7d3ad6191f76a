namespace Coppice;

/// <summary>
/// The task whose code is executing. It flows with that code, into timers and caches too, and may be kept for ever; so when the task
/// ends it lets go of everything but names.
/// </summary>
internal sealed class AmbientTask(string taskId, string ownerThreadId, ManagerIdentity identity, TaskContext context)
{
    private static readonly AsyncLocal<AmbientTask?> Ambient = new();

    private TaskContext? _context = context;

    internal static AmbientTask? Current => Ambient.Value;

    internal string TaskId { get; } = taskId;

    /// <summary>Gets the task's context; once the task has ended, one that knows no more than names.</summary>
    internal TaskContext? Context =>
        Volatile.Read(ref _context)
        ?? (identity.Manager is { } manager ? new TaskContext(manager, TaskId, ownerThreadId, live: null) : null);

    internal bool CountsFor(ITaskStore store) => identity.IsOn(store);

    internal void Enter() => Ambient.Value = this;

    internal void Release() => Interlocked.Exchange(ref _context, null)?.Release();
}
