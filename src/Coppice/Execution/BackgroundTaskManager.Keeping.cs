namespace Coppice;

/// <content>Restoring and pruning.</content>
public sealed partial class BackgroundTaskManager
{
    /// <summary>
    /// Merges a snapshot: ids that are known are skipped, ended tasks stay as they were and post no mail, live ones become orphans, and
    /// the counter of ids moves past every <c>bg_&lt;n&gt;</c>. All of it lands or nothing.
    /// </summary>
    /// <param name="ownerThreadId">The thread that owns the tasks from now on.</param>
    /// <param name="snapshot">The tasks, as <see cref="ExportAsync"/> gave them. Read to its end before anything is stored.</param>
    /// <param name="cancellationToken">Gives it up until the store's writer has it.</param>
    /// <returns>The counts.</returns>
    /// <exception cref="ArgumentException">A task is missing, has no id, or something in it is over its limit; the message says which one of the snapshot.</exception>
    public async ValueTask<RestoreResult> RestoreAsync(
        string ownerThreadId, IEnumerable<TaskSnapshot> snapshot, CancellationToken cancellationToken = default)
    {
        Rules.CheckId(ownerThreadId, nameof(ownerThreadId));
        ArgumentNullException.ThrowIfNull(snapshot);
        var tasks = snapshot.Select((task, index) => Rules.CheckRestored(task, index + 1, nameof(snapshot))).ToList();
        var core = await ReadyAsync(cancellationToken).ConfigureAwait(false);
        var answer = await core.CommitAsync<TasksRestored>("restore", new RestoreTasks(ownerThreadId, tasks), cancellationToken)
            .ConfigureAwait(false);
        return answer.Result;
    }

    /// <summary>Forgets tasks that ended long enough ago and have no live descendant. Their unread mail stays, and ids are not reused.</summary>
    /// <param name="olderThan">How long ago they ended at the least; from zero.</param>
    /// <param name="cancellationToken">Gives it up until the store's writer has it.</param>
    /// <returns>How many were forgotten.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="olderThan"/> is negative, or reaches before the beginning of time.</exception>
    public async ValueTask<int> PruneAsync(TimeSpan olderThan, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(olderThan, TimeSpan.Zero);
        var now = _options.TimeProvider.GetUtcNow();
        ArgumentOutOfRangeException.ThrowIfGreaterThan(olderThan, now - DateTimeOffset.MinValue);
        var core = await ReadyAsync(cancellationToken).ConfigureAwait(false);
        var answer = await core.CommitAsync<TasksPruned>("prune", new PruneTasks(now - olderThan), cancellationToken)
            .ConfigureAwait(false);
        return answer.Count;
    }
}
