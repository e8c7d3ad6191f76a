using Microsoft.Extensions.Logging;

namespace Coppice;

/// <summary>Stores the ends of tasks and of attempts at them, and lets go of what they held here.</summary>
internal sealed class TaskEnder(
    PatientStore store, LiveTasks live, Mailroom mailroom, TaskMetrics metrics, BackgroundTaskOptions options, ILogger logger)
{
    /// <summary>Stores the end of a task, or of an attempt at it.</summary>
    /// <param name="task">The task.</param>
    /// <param name="ambient">What its code sees of it.</param>
    /// <param name="outcome">What its body gave; <see langword="null"/> for an attempt that ends without its body.</param>
    /// <param name="startedAt">When the body was begun.</param>
    internal async ValueTask EndAsync(LiveTask task, AmbientTask? ambient, TaskOutcome? outcome, long startedAt)
    {
        var (first, events) = await task.SealEventsAsync().ConfigureAwait(false);
        var end = EndOf(task, outcome, first, events);
        var operation = end is HandBackWork ? "hand_back" : "completion";
        try
        {
            var result = await store.CommitAsync(operation, end, task.Fence, task.TaskId).ConfigureAwait(false);
            try
            {
                NoteEnd(task.TaskId, end, result, startedAt);
            }
            finally
            {
                // Whoever listens to logs and metrics may throw; the task has ended all the same.
                Release(task, ambient);
            }
        }
        catch (Exception e) when (e is ObjectDisposedException or OperationCanceledException)
        {
            // The manager is gone before the end was stored: the task is an orphan for the next host, and counts as running here.
            Log.StoringDelayed(logger, operation, task.TaskId, 0, null);
            task.Release();
            ambient?.Release();
        }
    }

    private void NoteEnd(string taskId, Mutation end, CommitResult result, long startedAt)
    {
        if (result.Status != CommitStatus.Landed)
        {
            Log.CompletionRefused(logger, taskId);
            return;
        }

        var state = result.Answer is WorkHandedBack handedBack ? handedBack.State : ((FinishTask)end).State;
        if (state.IsTerminal())
        {
            metrics.Finished(state, startedAt);
            Log.TaskEnded(logger, taskId, state.ToWireName());
        }
        else
        {
            var error = ((HandBackWork)end).Error;
            metrics.HandedBack(error is null ? "stopped" : "failed");
            Log.HandedBack(logger, taskId, error ?? "its host stops");
        }
    }

    private Mutation EndOf(LiveTask task, TaskOutcome? outcome, int first, IReadOnlyList<CustomTaskEvent> events)
    {
        var end = task.Attempt is not { } attempt
            ? new FinishTask(task.TaskId, outcome!.State) { Error = outcome.Error, Result = outcome.Result }
            : outcome is null ? AttemptVerdict.WithoutBody(attempt, options, logger)
            : AttemptVerdict.Of(attempt, outcome, options, logger);
        var cancelledBy = task.UnstoredCancel;
        return events.Count == 0 && cancelledBy is null ? end : end switch
        {
            FinishTask finish => finish with { FirstEvent = first, Events = events, CancelledBy = cancelledBy },
            HandBackWork back => back with { FirstEvent = first, Events = events, CancelledBy = cancelledBy },
            _ => end,
        };
    }

    private void Release(LiveTask task, AmbientTask? ambient)
    {
        if (task.Inbox is { } inbox)
        {
            mailroom.EndAgent(inbox);
        }

        task.Release();
        ambient?.Release();
        live.Remove(task);
        if (task.Attempt is { } attempt)
        {
            attempt.Release();
            attempt.Claimer.Ended();
        }
    }
}
