using System.Runtime.CompilerServices;

namespace Coppice;

/// <content>Reading, waiting and watching.</content>
public sealed partial class BackgroundTaskManager
{
    /// <summary>Reads one task.</summary>
    /// <param name="taskId">Its id.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>The task, or <see langword="null"/> when it is unknown.</returns>
    public async ValueTask<TaskSnapshot?> GetAsync(string taskId, CancellationToken cancellationToken = default)
    {
        Rules.CheckId(taskId, nameof(taskId));
        var core = await ReadyAsync(cancellationToken).ConfigureAwait(false);
        return await core.Store.GetAsync(taskId, cancellationToken).ConfigureAwait(false) is { } task ? _options.Tasks.Explain(task) : null;
    }

    /// <summary>Lists a thread's tasks, oldest first, each as it was at some moment of the call.</summary>
    /// <param name="ownerThreadId">The thread.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public async ValueTask<IReadOnlyList<TaskSnapshot>> ListAsync(string ownerThreadId, CancellationToken cancellationToken = default)
    {
        Rules.CheckId(ownerThreadId, nameof(ownerThreadId));
        var core = await ReadyAsync(cancellationToken).ConfigureAwait(false);
        return _options.Tasks.Explain(await core.Store.ListAsync(
            new TaskQuery { OwnerThreadId = ownerThreadId }, null, int.MaxValue, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Lists one page of tasks, in the order of <see cref="TaskCursor"/>: oldest first.</summary>
    /// <param name="query">Which.</param>
    /// <param name="after">Where to go on, or <see langword="null"/> for the beginning.</param>
    /// <param name="limit">How many at the most, from 1.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <exception cref="ArgumentNullException"><paramref name="query"/> is <see langword="null"/>.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="limit"/> is under 1.</exception>
    public async ValueTask<IReadOnlyList<TaskSnapshot>> ListAsync(
        TaskQuery query, TaskCursor? after, int limit, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        var core = await ReadyAsync(cancellationToken).ConfigureAwait(false);
        return _options.Tasks.Explain(await core.Store.ListAsync(query, after, limit, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Reads tasks page by page, oldest first. What changes meanwhile may or may not be seen.</summary>
    /// <param name="query">Which.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <exception cref="ArgumentNullException"><paramref name="query"/> is <see langword="null"/>.</exception>
    public IAsyncEnumerable<TaskSnapshot> QueryAsync(TaskQuery query, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        CheckUsable(cancellationToken);
        return ReadAsync(query, cancellationToken);
    }

    /// <summary>Whether a thread has a live task.</summary>
    /// <param name="ownerThreadId">The thread.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public async ValueTask<bool> HasRunningAsync(string ownerThreadId, CancellationToken cancellationToken = default)
    {
        Rules.CheckId(ownerThreadId, nameof(ownerThreadId));
        var core = await ReadyAsync(cancellationToken).ConfigureAwait(false);
        return await core.Store.HasLiveAsync(ownerThreadId, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Waits until a task has ended, on whichever host.</summary>
    /// <param name="taskId">The task.</param>
    /// <param name="cancellationToken">Stops waiting; the task goes on.</param>
    /// <returns>The ended task.</returns>
    /// <exception cref="KeyNotFoundException">The task is unknown.</exception>
    public async Task<TaskSnapshot> WaitAsync(string taskId, CancellationToken cancellationToken = default)
    {
        Rules.CheckId(taskId, nameof(taskId));
        var core = await ReadyAsync(cancellationToken).ConfigureAwait(false);
        return await core.WaitAsync(taskId, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Watches the change feed of the whole store, from the first commit after the first <c>MoveNextAsync</c>. What is read after that call
    /// either shows a change or comes before it is told.
    /// </summary>
    /// <param name="query">Which tasks; a change is told when the task right after it matches. All by default.</param>
    /// <param name="cancellationToken">Ends the watch.</param>
    /// <exception cref="WatchOverrunException">
    /// The watcher fell too far behind, or changes that another process has committed did not come through.
    /// </exception>
    public IAsyncEnumerable<TaskChange> WatchAsync(TaskQuery? query = null, CancellationToken cancellationToken = default)
    {
        CheckUsable(cancellationToken);
        return WatchFeedAsync(query, cancellationToken);
    }

    /// <summary>
    /// Finds a live child: among the direct children of <see cref="TaskLineage.TaskId"/> where it is set, else among the tasks of
    /// <see cref="TaskLineage.RunId"/> without a parent task; by id first, then by name.
    /// </summary>
    /// <param name="parent">The parent.</param>
    /// <param name="nameOrTaskId">The child's name or id.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>The child's id, or <see langword="null"/>.</returns>
    /// <exception cref="ArgumentNullException">An argument is <see langword="null"/>.</exception>
    public async ValueTask<string?> FindLiveChildAsync(
        TaskLineage parent, string nameOrTaskId, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(parent);
        ArgumentNullException.ThrowIfNull(nameOrTaskId);
        parent = Rules.CheckLineage(parent, nameof(parent));
        var core = await ReadyAsync(cancellationToken).ConfigureAwait(false);
        return await core.Store.FindLiveChildAsync(parent, nameOrTaskId, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Reads tasks for a snapshot that <see cref="RestoreAsync"/> takes, oldest first, page by page.</summary>
    /// <param name="ownerThreadId">One thread, or <see langword="null"/> for all.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    public IAsyncEnumerable<TaskSnapshot> ExportAsync(string? ownerThreadId = null, CancellationToken cancellationToken = default)
    {
        if (ownerThreadId is not null)
        {
            Rules.CheckId(ownerThreadId, nameof(ownerThreadId));
        }

        CheckUsable(cancellationToken);
        return ReadAsync(new TaskQuery { OwnerThreadId = ownerThreadId }, cancellationToken);
    }

    private async IAsyncEnumerable<TaskSnapshot> ReadAsync(TaskQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var core = await ReadyAsync(cancellationToken).ConfigureAwait(false);
        await foreach (var task in core.QueryAsync(query, cancellationToken).ConfigureAwait(false))
        {
            yield return task;
        }
    }

    private async IAsyncEnumerable<TaskChange> WatchFeedAsync(
        TaskQuery? query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var core = await ReadyAsync(cancellationToken).ConfigureAwait(false);
        await foreach (var change in core.WatchAsync(query, cancellationToken).ConfigureAwait(false))
        {
            yield return change;
        }
    }
}
