using Microsoft.Extensions.Logging;

namespace Coppice;

/// <summary>
/// Hears that a task of a registered kind was stored, however late: then it was spawned, and only then. One whose spawner was told that it failed is
/// cancelled, unless it has an idempotency key: then whoever spawned again may have been given it.
/// </summary>
internal sealed class WorkLanding(PatientStore store, TaskMetrics metrics, WorkScheduler scheduler, ILogger logger, AddTask add)
    : ICommitObserver, IThreadPoolWorkItem
{
    private readonly Lock _lock = new();
    private TaskAdded? _landed;
    private HostFence _fence;
    private bool _isGivenUp;

    public void OnLanded(CommitResult result, HostFence fence)
    {
        if (result.Answer is not TaskAdded { WasKnown: false } added)
        {
            return;
        }

        metrics.Spawned();
        Log.TaskSpawned(logger, added.TaskId, add.OwnerThreadId);
        lock (_lock)
        {
            _landed = added;
            _fence = fence;
            if (_isGivenUp && add.Work?.IdempotencyKey is null)
            {
                // It is told of from inside the commit; to end it, it has to be there.
                scheduler.Queue(this);
            }
        }
    }

    public void Execute() => _ = CancelAsync(_landed!.TaskId);

    /// <summary>Its spawner is told that it failed, unless it has landed.</summary>
    internal TaskAdded? GiveUp()
    {
        lock (_lock)
        {
            _isGivenUp = _landed is null;
            return _landed;
        }
    }

    private async Task CancelAsync(string taskId)
    {
        try
        {
            await store.CommitAsync("cancel", new RequestCancel(CancelScope.Task, taskId), _fence, taskId).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Log.RunFailed(logger, taskId, e);
        }
    }
}
