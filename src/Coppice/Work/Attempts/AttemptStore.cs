namespace Coppice;

/// <summary>What attempts store while they run, and read of what earlier ones stored.</summary>
internal sealed class AttemptStore(PatientStore store)
{
    /// <summary>Stores what an attempt has come to, however long the store takes: it was paid for.</summary>
    /// <exception cref="AttemptLostException">The attempt is over.</exception>
    internal async ValueTask StoreAsync(string operation, Mutation progress, TaskAttempt attempt, HostFence fence)
    {
        var result = await store.CommitAsync(operation, progress, fence, attempt.TaskId).ConfigureAwait(false);
        if (result.Status != CommitStatus.Landed)
        {
            attempt.Stop(StopReason.Fenced);
            throw new AttemptLostException(attempt.TaskId);
        }
    }

    /// <summary>Reads steps, trying again for as long as the store's trouble may pass and the attempt is not told to stop.</summary>
    internal ValueTask<IReadOnlyList<TaskStep>> ReadStepsAsync(TaskAttempt attempt, int from, int limit) =>
        store.ReadStepsAsync(attempt.TaskId, from, limit, attempt.Live?.Token ?? CancellationToken.None);
}
