namespace Coppice;

/// <content>Cancelling.</content>
public sealed partial class BackgroundTaskManager
{
    /// <summary>Requests the cancellation of one task. Cancelling is cooperative: the body decides how it ends.</summary>
    /// <param name="taskId">The task.</param>
    /// <param name="cancellationToken">Gives the request up until the store's writer has it.</param>
    /// <returns>Whether the task was live, also when it had been requested before.</returns>
    /// <exception cref="TaskStoreException">The store failed; if the task's body runs here, it was signalled all the same.</exception>
    public async ValueTask<bool> CancelAsync(string taskId, CancellationToken cancellationToken = default)
    {
        Rules.CheckId(taskId, nameof(taskId));
        return await CancelAsync(CancelScope.Task, taskId, cancellationToken).ConfigureAwait(false) > 0;
    }

    /// <summary>Requests the cancellation of a task and of every live descendant, across threads and through ended tasks.</summary>
    /// <param name="taskId">The root.</param>
    /// <param name="cancellationToken">Gives the request up until the store's writer has it.</param>
    /// <returns>How many live tasks it reached, also those that had been requested before.</returns>
    /// <exception cref="TaskStoreException">The store failed; bodies that run here were signalled all the same.</exception>
    public ValueTask<int> CancelTreeAsync(string taskId, CancellationToken cancellationToken = default)
    {
        Rules.CheckId(taskId, nameof(taskId));
        return CancelAsync(CancelScope.Tree, taskId, cancellationToken);
    }

    /// <summary>Requests the cancellation of a thread's tasks and of their trees.</summary>
    /// <param name="ownerThreadId">The thread.</param>
    /// <param name="cancellationToken">Gives the request up until the store's writer has it.</param>
    /// <returns>How many live tasks it reached, also those that had been requested before.</returns>
    /// <exception cref="TaskStoreException">The store failed; bodies that run here were signalled all the same.</exception>
    public ValueTask<int> CancelThreadAsync(string ownerThreadId, CancellationToken cancellationToken = default)
    {
        Rules.CheckId(ownerThreadId, nameof(ownerThreadId));
        return CancelAsync(CancelScope.Thread, ownerThreadId, cancellationToken);
    }

    /// <summary>Requests the cancellation of a run's tasks that have no parent task, and of their trees.</summary>
    /// <param name="runId">The run.</param>
    /// <param name="cancellationToken">Gives the request up until the store's writer has it.</param>
    /// <returns>How many live tasks it reached, also those that had been requested before.</returns>
    /// <exception cref="TaskStoreException">The store failed; bodies that run here were signalled all the same.</exception>
    public ValueTask<int> CancelRunAsync(string runId, CancellationToken cancellationToken = default)
    {
        Rules.CheckId(runId, nameof(runId));
        return CancelAsync(CancelScope.Run, runId, cancellationToken);
    }

    /// <summary>
    /// Requests the cancellation of a task and of every live descendant in one commit, as <see cref="CancelTreeAsync"/> does, and waits for
    /// all of them to end, on whichever host.
    /// </summary>
    /// <param name="taskId">The root. A task of the tree that asks for this waits for itself, up to <paramref name="grace"/>.</param>
    /// <param name="grace">How long to wait, by the manager's clock: from zero, which only looks, to 49 days.</param>
    /// <param name="cancellationToken">Gives the request up until the store's writer has it; from then on stops the waiting, and the requests stand.</param>
    /// <returns>What became of each task that was live; nothing when the root is unknown or nothing was live.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="grace"/> is outside its range.</exception>
    /// <exception cref="TaskStoreException">The store failed; bodies that run here were signalled all the same.</exception>
    public async ValueTask<StopReport> StopTreeAsync(string taskId, TimeSpan grace, CancellationToken cancellationToken = default)
    {
        Rules.CheckId(taskId, nameof(taskId));
        ArgumentOutOfRangeException.ThrowIfLessThan(grace, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(grace, BackgroundTaskOptionsValidator.LongestTimer);
        var core = await ReadyAsync(cancellationToken).ConfigureAwait(false);
        var reached = await core.Canceller.CancelAsync(new RequestCancel(CancelScope.Tree, taskId), cancellationToken).ConfigureAwait(false);
        return await core.Canceller.WatchStopAsync(reached, grace, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<int> CancelAsync(CancelScope scope, string key, CancellationToken cancellationToken)
    {
        var core = await ReadyAsync(cancellationToken).ConfigureAwait(false);
        return (await core.Canceller.CancelAsync(new RequestCancel(scope, key), cancellationToken).ConfigureAwait(false)).Count;
    }
}
