using System.Diagnostics;

namespace Coppice;

/// <summary>Requests cancellations, and watches what becomes of the tasks that they reached.</summary>
internal sealed class TaskCanceller(HostSession host, LiveTasks live, TaskWaiters waiters, ITaskStore store, BackgroundTaskOptions options)
{
    // How long a cancel waits for its signal to show on the tokens; it goes on by itself.
    private static readonly TimeSpan SignalShows = TimeSpan.FromMilliseconds(20);

    /// <summary>Requests a cancellation, and tells which live tasks it reached.</summary>
    internal async ValueTask<IReadOnlyList<string>> CancelAsync(RequestCancel cancel, CancellationToken cancellationToken)
    {
        CommitResult result;
        try
        {
            result = await host.CommitAsync("cancel", cancel, null, cancellationToken).ConfigureAwait(false);
        }
        catch (TaskStoreException)
        {
            foreach (var task in live.CoveredBy(cancel))
            {
                task.SignalUnstored(cancel.By);
            }

            throw;
        }

        var reached = ((CancelReached)result.Answer!).TaskIds;
        AwaitSignals(reached);
        return reached;
    }

    /// <summary>Waits for tasks that are to stop, all of them together for as long as the grace, and tells what became of each.</summary>
    internal async ValueTask<StopReport> WatchStopAsync(IReadOnlyList<string> taskIds, TimeSpan grace, CancellationToken cancellationToken)
    {
        var startedAt = options.TimeProvider.GetTimestamp();
        var stopped = new List<StoppedTask>(taskIds.Count);
        foreach (var taskId in taskIds)
        {
            var task = await WaitAsync(taskId, startedAt, grace, cancellationToken).ConfigureAwait(false);
            if (task is not null)
            {
                stopped.Add(new StoppedTask(taskId, OutcomeOf(task.State), task.State));
            }
        }

        return new StopReport(stopped);
    }

    private static StopOutcome OutcomeOf(TaskState state) => state switch
    {
        TaskState.Cancelled => StopOutcome.Stopped,
        TaskState.Completed or TaskState.Failed => StopOutcome.FinishedFirst,
        _ => StopOutcome.StillRunning,
    };

    /// <summary>The task once it has ended, or as it is when the grace is over; <see langword="null"/> when it was forgotten.</summary>
    private async ValueTask<TaskSnapshot?> WaitAsync(string taskId, long startedAt, TimeSpan grace, CancellationToken cancellationToken)
    {
        for (var isFirstLook = true; ; isFirstLook = false)
        {
            using var waiting = waiters.Register(taskId);
            var left = Left();
            if (!isFirstLook || left <= TimeSpan.Zero || !host.Runs(taskId))
            {
                var task = await store.GetAsync(taskId, cancellationToken).ConfigureAwait(false);
                left = Left();
                if (task is null || task.State.IsTerminal() || left <= TimeSpan.Zero)
                {
                    return task;
                }
            }

            try
            {
                await waiting.Ended.WaitAsync(left, options.TimeProvider, cancellationToken).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                // One more look tells how it stands at the end.
            }
        }

        TimeSpan Left() => grace - options.TimeProvider.GetElapsedTime(startedAt);
    }

    private void AwaitSignals(IReadOnlyList<string> taskIds)
    {
        if (!options.Scheduler.CanStandStill)
        {
            return;
        }

        var deadline = Stopwatch.GetTimestamp() + (long)(SignalShows.TotalSeconds * Stopwatch.Frequency);
        foreach (var taskId in taskIds)
        {
            if (live.TryGet(taskId, out var task))
            {
                task.AwaitSignal(deadline);
            }
        }
    }
}
