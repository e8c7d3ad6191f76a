using Microsoft.Extensions.Logging;

namespace Coppice;

/// <summary>What becomes of a task when an attempt at it is over.</summary>
internal static class AttemptVerdict
{
    private const string TimedOut = "attempt failed: it took longer than its kind's AttemptTimeout allows";

    /// <summary>The change that ends the attempt.</summary>
    /// <param name="attempt">The attempt.</param>
    /// <param name="outcome">What its body gave.</param>
    /// <param name="options">The manager's options.</param>
    /// <param name="logger">Where it is said that the kind's policy failed.</param>
    internal static Mutation Of(TaskAttempt attempt, TaskOutcome outcome, BackgroundTaskOptions options, ILogger logger)
    {
        var (taskId, claim) = (attempt.TaskId, attempt.Claim);
        if (outcome.State == TaskState.Completed)
        {
            return new FinishTask(taskId, TaskState.Completed) { Claim = claim, Result = outcome.Result };
        }

        if (outcome.State == TaskState.Failed)
        {
            // Nobody wants another attempt any more.
            return attempt.Reason is StopReason.Deadline or StopReason.Cancel ? Failed(attempt, outcome.Error!)
                : WasStopped(attempt) ? new HandBackWork(taskId, claim)
                : FailedOrAgain(attempt, outcome.Error!, attempt.Failure, options, logger);
        }

        return attempt.Reason switch
        {
            StopReason.Deadline => Failed(attempt, WorkRules.DeadlineError),
            StopReason.Timeout => FailedOrAgain(attempt, TimedOut, new TimeoutException(TimedOut), options, logger),
            StopReason.Shutdown or StopReason.Fenced when MayGoOn(attempt) => new HandBackWork(taskId, claim),
            _ => new FinishTask(taskId, TaskState.Cancelled) { Claim = claim },
        };
    }

    /// <summary>The change that ends an attempt whose body has not ended.</summary>
    internal static Mutation WithoutBody(TaskAttempt attempt, BackgroundTaskOptions options, ILogger logger) =>
        Of(attempt, TaskOutcome.Cancelled, options, logger);

    /// <summary>Whether another host may go on: the kind says so, or nothing was begun.</summary>
    internal static bool MayGoOn(TaskAttempt attempt) => attempt.Work.Recovery != RecoveryPolicy.Never || !attempt.HasBegun;

    /// <summary>Whether the body failed because its host stops and takes no new tasks: that is not its failure.</summary>
    private static bool WasStopped(TaskAttempt attempt) =>
        attempt is { Reason: StopReason.Shutdown, Failure: SpawnException { Error: SpawnError.ShuttingDown } } && MayGoOn(attempt);

    private static Mutation FailedOrAgain(TaskAttempt attempt, string error, Exception? failure, BackgroundTaskOptions options, ILogger logger)
    {
        var failures = attempt.Work.Failures + 1;
        if (failure is null or UnreadableInputException or StepMismatchException or UnstorableValueException
            || !Allows(attempt, failures, failure, logger))
        {
            return Failed(attempt, error);
        }

        var pause = attempt.Kind.Retry.PauseAfter(failures, options.Scheduler.NextDouble());
        var dueAt = options.TimeProvider.GetUtcNow() + pause;
        return attempt.Work.Deadline <= dueAt
            ? Failed(attempt, error)
            : new HandBackWork(attempt.TaskId, attempt.Claim) { DueAt = dueAt, Error = error };
    }

    /// <summary>Whether the kind's policy has the failure tried again. One that throws over it does not: somebody has to end the attempt.</summary>
    private static bool Allows(TaskAttempt attempt, int failures, Exception failure, ILogger logger)
    {
        try
        {
            return attempt.Kind.Retry.Allows(failures, failure);
        }
        catch (Exception e)
        {
            Log.RetryPredicateFailed(logger, attempt.Kind.Name, attempt.TaskId, e);
            return false;
        }
    }

    private static FinishTask Failed(TaskAttempt attempt, string error) =>
        new(attempt.TaskId, TaskState.Failed) { Claim = attempt.Claim, Error = error };
}
