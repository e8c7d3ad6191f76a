using Microsoft.Extensions.Logging;

namespace Coppice;

/// <summary>
/// Takes in the tasks that are to run here, from inside the commit that makes them this host's: from then on they can be found, and cancelled.
/// </summary>
internal sealed class TaskIntake(
    StoreGateway store, HostSession host, LiveTasks live, Mailroom mailroom, TaskEnder ender, TaskMetrics metrics, BackgroundTaskOptions options,
    ILogger logger, CancellationToken stopping, CancellationToken stopped)
{
    /// <summary>Takes in a task that this host has just claimed.</summary>
    internal void TakeClaimed(LiveTask task, string taskId, HostFence fence) => Take(task, taskId, fence);

    /// <summary>Takes in a task that the store has just added.</summary>
    internal void TakeSpawned(LiveTask task, string taskId, HostFence fence)
    {
        var isWanted = Take(task, taskId, fence);
        metrics.Spawned();
        Log.TaskSpawned(logger, taskId, task.OwnerThreadId);
        if (!isWanted)
        {
            // Its spawner was told that it had not landed.
            options.Scheduler.Queue(new AbandonedTask(this, task));
        }
    }

    /// <summary>A cancel that was told while nobody here knew the task yet stands in the store.</summary>
    internal async ValueTask CatchUpAsync(LiveTask task)
    {
        var stored = await store.ReadAsync(task.TaskId).ConfigureAwait(false);
        if (stored?.CancelRequestedAt is not null)
        {
            task.Signal(StopReason.Cancel);
        }
    }

    /// <summary>Starts a task of which a cancel may have been told while nobody here knew it.</summary>
    internal void StartLater(LiveTask task) => options.Scheduler.Queue(new LateStart(this, task));

    /// <summary>Tells whether the task is to run: not one that was given up before.</summary>
    private bool Take(LiveTask task, string taskId, HostFence fence)
    {
        var isWanted = task.TryLand(taskId, fence.Epoch);
        if (task.Inbox is { } inbox)
        {
            mailroom.Open(inbox);
        }

        live.Add(task);
        if (isWanted)
        {
            SignalIfGone(task, fence);
        }

        return isWanted;
    }

    private void SignalIfGone(LiveTask task, HostFence fence)
    {
        if (stopping.IsCancellationRequested)
        {
            task.Signal(StopReason.Shutdown);
        }
        else if (host.IsGivenUp(fence))
        {
            task.Signal(StopReason.Fenced);
        }
    }

    private async Task EndAbandonedAsync(LiveTask task)
    {
        try
        {
            // It is told of from inside the commit; to end it, it has to be there.
            if (await store.Store.GetAsync(task.TaskId, stopped).ConfigureAwait(false) is null)
            {
                options.Scheduler.Queue(new AbandonedTask(this, task));
                return;
            }

            await ender.EndAsync(
                task, null, TaskOutcome.Failure("The store confirmed the task only after its spawner had been told that it failed."), 0)
                .ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Log.RunFailed(logger, task.TaskId, e);
        }
    }

    private sealed class LateStart(TaskIntake intake, LiveTask task) : IThreadPoolWorkItem
    {
        public void Execute() => _ = StartAsync();

        private async Task StartAsync()
        {
            await intake.CatchUpAsync(task).ConfigureAwait(false);
            task.Start();
        }
    }

    private sealed class AbandonedTask(TaskIntake intake, LiveTask task) : IThreadPoolWorkItem
    {
        public void Execute() => _ = intake.EndAbandonedAsync(task);
    }
}
