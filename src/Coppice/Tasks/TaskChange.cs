namespace Coppice;

/// <summary>One change of one task, as the change feed tells it.</summary>
/// <param name="Revision">
/// The store's revision of the commit; it grows from commit to commit, with gaps, and never goes back. For a commit that was under way when
/// the first watch began it may be that of a later one.
/// </param>
/// <param name="Kind">What happened.</param>
/// <param name="Task">The task right after it; for a commit that was under way when the first watch began, perhaps as it was a little
/// later, as for a commit of another process.</param>
/// <param name="Event">What the task emitted, when that is what happened.</param>
public sealed record TaskChange(long Revision, TaskChangeKind Kind, TaskSnapshot Task, CustomTaskEvent? Event = null);

/// <summary>What a change of a task is.</summary>
public enum TaskChangeKind
{
    /// <summary>It was spawned.</summary>
    Spawned,

    /// <summary>It moved to another state that is not terminal.</summary>
    Moved,

    /// <summary>Its cancellation was requested, for the first time.</summary>
    CancelRequested,

    /// <summary>It emitted an event.</summary>
    Emitted,

    /// <summary>It ended.</summary>
    Ended,

    /// <summary>It came out of a snapshot.</summary>
    Restored,
}
