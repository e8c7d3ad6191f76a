using Microsoft.Extensions.Logging;

namespace Coppice;

/// <summary>Runs bodies, and has their ends stored. Knows what the tasks that run here, and their attempts, share.</summary>
internal sealed class TaskRunner
{
    private readonly StoreGateway _store;
    private readonly HostSession _host;
    private readonly TaskEnder _ender;
    private readonly TaskMetrics _metrics;

    internal TaskRunner(
        BackgroundTaskManager manager, StoreGateway store, HostSession host, Mailroom mailroom, TaskIntake intake, TaskEnder ender,
        AttemptStore attempts, TaskMetrics metrics, BackgroundTaskOptions options, ILogger logger)
    {
        Manager = manager;
        Identity = new ManagerIdentity(manager, store.Store);
        Mailroom = mailroom;
        Intake = intake;
        Attempts = attempts;
        Options = options;
        Logger = logger;
        _store = store;
        _host = host;
        _ender = ender;
        _metrics = metrics;
    }

    internal BackgroundTaskManager Manager { get; }

    internal ManagerIdentity Identity { get; }

    internal Mailroom Mailroom { get; }

    internal TaskIntake Intake { get; }

    internal AttemptStore Attempts { get; }

    internal BackgroundTaskOptions Options { get; }

    internal ILogger Logger { get; }

    internal WorkScheduler Scheduler => Options.Scheduler;

    internal TaskRules Rules => Manager.Rules;

    internal string HostId => _host.Fence.HostId;

    /// <summary>Runs a task's body to its end and stores it. Never throws.</summary>
    internal async Task RunAsync(LiveTask task)
    {
        try
        {
            // What is set in the ambient context from here on does not flow out of this method, into the pool's thread.
            ToolCallScope.Clear();
            var startedAt = _metrics.Now();
            var ambient = task.CreateAmbient();
            if (task.Attempt is { } attempt)
            {
                if (!attempt.TryBegin(ambient, startedAt))
                {
                    await AbandonAsync(task, attempt).ConfigureAwait(false);
                    return;
                }

                Scheduler.OnAttemptBegun(task);
            }

            var activity = TaskActivities.Start(task);
            var outcome = Rules.Storable(await RunBodyAsync(task, ambient).ConfigureAwait(false));
            Scheduler.OnBodyEnded(task, outcome);
            TaskActivities.End(activity, outcome);
            if (task.Attempt is { } ended && !ended.TryEnd())
            {
                Log.AttemptOutlived(Logger, task.TaskId, outcome.State.ToWireName());
                return;
            }

            await _ender.EndAsync(task, ambient, outcome, startedAt).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Log.RunFailed(Logger, task.TaskId, e);
        }
    }

    /// <summary>Ends an attempt without waiting for its body, whose end is ignored from now on.</summary>
    internal async Task AbandonAsync(LiveTask task, TaskAttempt attempt)
    {
        if (!attempt.TryEnd())
        {
            return;
        }

        try
        {
            await _ender.EndAsync(task, attempt.Ambient, null, attempt.StartedAt).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Log.RunFailed(Logger, task.TaskId, e);
        }
    }

    /// <summary>What an exception says, as far as it can be kept.</summary>
    internal string ErrorOf(Exception exception) => Rules.CutError(ExceptionText.Of(exception));

    internal EventQueue CreateEvents(LiveTask task) =>
        new(task.TaskId, task.Claim, task.Fence, task.OwnerThreadId, _store, Options, Logger);

    private static async ValueTask<TaskOutcome> RunBodyAsync(LiveTask task, AmbientTask ambient)
    {
        try
        {
            var running = task.StartBody(ambient, out var body);
            await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

            // What the body threw is looked at; to throw it again would cost more than all the rest of its end.
            if (running.IsCompletedSuccessfully)
            {
                return body.OutcomeOf(running) ?? TaskOutcome.Failure("The body returned null instead of an outcome.");
            }

            if (running.IsFaulted)
            {
                return OutcomeOf(task, running.Exception!.InnerException!);
            }

            if (!task.IsSignalled)
            {
                // A cancelled task gives its exception, with what it says, only to who awaits it.
                await running.ConfigureAwait(false);
            }

            return TaskOutcome.Cancelled;
        }
        catch (Exception e)
        {
            return OutcomeOf(task, e);
        }
    }

    private static TaskOutcome OutcomeOf(LiveTask task, Exception thrown)
    {
        if (thrown is OperationCanceledException && task.IsSignalled)
        {
            return TaskOutcome.Cancelled;
        }

        if (task.Attempt is { } attempt)
        {
            attempt.Failure = thrown;
        }

        return TaskOutcome.Failure(ExceptionText.Of(thrown));
    }
}
