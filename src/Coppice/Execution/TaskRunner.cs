using Microsoft.Extensions.Logging;
using Polly;
using Polly.Retry;

namespace Coppice;

/// <summary>Runs bodies, and stores how they end.</summary>
internal sealed class TaskRunner
{
    private static readonly ResiliencePropertyKey<string> TaskIdKey = new("task_id");

    private readonly ManagerCore _core;
    private readonly StoreGateway _store;
    private readonly LiveTasks _live;
    private readonly TaskMetrics _metrics;
    private readonly BackgroundTaskOptions _options;
    private readonly TaskRules _rules;
    private readonly ResiliencePipeline _completionRetry;
    private readonly ResiliencePipeline _readRetry;
    private readonly CancellationToken _stopped;

    internal TaskRunner(
        ManagerCore core, BackgroundTaskManager manager, StoreGateway store, LiveTasks live, TaskMetrics metrics, BackgroundTaskOptions options, ILogger logger,
        CancellationToken stopped)
    {
        Manager = manager;
        Identity = new ManagerIdentity(manager, store.Store);
        Logger = logger;
        _core = core;
        _store = store;
        _live = live;
        _metrics = metrics;
        _options = options;
        _rules = manager.Rules;
        _stopped = stopped;
        _completionRetry = CreateCompletionRetry(options, logger);
        _readRetry = CreateReadRetry(options, logger);
    }

    internal BackgroundTaskManager Manager { get; }

    internal ManagerIdentity Identity { get; }

    internal ILogger Logger { get; }

    internal WorkScheduler Scheduler => _options.Scheduler;

    internal BackgroundTaskOptions Options => _options;

    internal TaskRules Rules => _rules;

    internal string HostId => _core.Fence.HostId;

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
                if (!TryBegin(attempt, ambient, startedAt))
                {
                    await AbandonAsync(task, attempt).ConfigureAwait(false);
                    return;
                }

                Scheduler.OnAttemptBegun(task);
            }

            var activity = TaskActivities.Start(task);
            var outcome = _rules.Storable(await RunBodyAsync(task, ambient).ConfigureAwait(false));
            Scheduler.OnBodyEnded(task, outcome);
            TaskActivities.End(activity, outcome);
            if (task.Attempt is { } ended && !ended.TryEnd())
            {
                Log.AttemptOutlived(Logger, task.TaskId, outcome.State.ToWireName());
                return;
            }

            await StoreEndAsync(task, ambient, outcome, startedAt).ConfigureAwait(false);
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
            await StoreEndAsync(task, attempt.Ambient, null, attempt.StartedAt).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Log.RunFailed(Logger, task.TaskId, e);
        }
    }

    /// <summary>Takes in a task that this host has just claimed: from here on it can be found, and cancelled.</summary>
    internal LiveTask Take(TaskAttempt attempt, TaskBody body, HostFence fence, Guid agentReader)
    {
        var task = new LiveTask(this, body, attempt.Kind.Blocking);
        task.Describe(attempt, agentReader);
        task.TryLand(attempt.TaskId, fence.Epoch);
        if (task.Inbox is { } inbox)
        {
            _core.Mailroom.Open(inbox);
        }

        _live.Add(task);
        SignalIfGone(task, fence);
        return task;
    }

    /// <summary>Takes in a task that the store has just added: from here on it can be found, and cancelled.</summary>
    internal void Land(LiveTask task, CommitResult result, HostFence fence)
    {
        var isWanted = task.TryLand(((TaskAdded)result.Answer!).TaskId, fence.Epoch);
        if (task.Inbox is { } inbox)
        {
            _core.Mailroom.Open(inbox);
        }

        _live.Add(task);
        _metrics.Spawned();
        Log.TaskSpawned(Logger, task.TaskId, task.OwnerThreadId);
        if (!isWanted)
        {
            // Its spawner was told that it had not landed.
            Scheduler.Queue(new AbandonedTask(this, task));
        }
        else
        {
            SignalIfGone(task, fence);
        }
    }

    /// <summary>Stores what an attempt has come to, however long the store takes: it was paid for.</summary>
    /// <exception cref="AttemptLostException">The attempt is over.</exception>
    internal async ValueTask StoreProgressAsync(string operation, Mutation progress, TaskAttempt attempt, HostFence fence)
    {
        var result = await CommitUntilLandedAsync(operation, progress, fence, attempt.TaskId).ConfigureAwait(false);
        if (result.Status != CommitStatus.Landed)
        {
            attempt.Stop(StopReason.Fenced);
            throw new AttemptLostException(attempt.TaskId);
        }
    }

    /// <summary>Reads steps, trying again for as long as the store's trouble may pass and the attempt is not told to stop.</summary>
    internal async ValueTask<IReadOnlyList<TaskStep>> ReadStepsAsync(TaskAttempt attempt, int from, int limit)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(_stopped, attempt.Live?.Token ?? _stopped);
        return await _readRetry.ExecuteAsync(
            static (state, token) => state.Store.ReadStepsAsync(state.TaskId, state.from, state.limit, token),
            (_store.Store, attempt.TaskId, from, limit),
            stop.Token).ConfigureAwait(false);
    }

    /// <summary>What an exception says, as far as it can be kept.</summary>
    internal string ErrorOf(Exception exception) => _rules.CutError(MessageOf(exception));

    /// <summary>Ends a task of a registered kind whose spawner was told that it had not landed.</summary>
    internal async Task CancelUnwantedAsync(string taskId, HostFence fence)
    {
        try
        {
            await CommitUntilLandedAsync("cancel", new RequestCancel(CancelScope.Task, taskId), fence, taskId).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Log.RunFailed(Logger, taskId, e);
        }
    }

    internal Inbox PrepareInbox(string threadId, Guid reader) => _core.Mailroom.Prepare(threadId, reader);

    internal EventQueue CreateEvents(LiveTask task) =>
        new(task.TaskId, task.Claim, task.Fence, task.OwnerThreadId, _store, _options, Logger);

    internal void CloseInbox(LiveTask task) => _ = CloseInboxAsync(task);

    /// <summary>Stores something that has to land for as long as the process lives, trying again with growing pauses.</summary>
    internal async ValueTask<CommitResult> CommitUntilLandedAsync(string operation, Mutation mutation, HostFence fence, string about)
    {
        try
        {
            return await _store.CommitAsync(operation, mutation, fence).ConfigureAwait(false);
        }
        catch (TaskStoreException e)
        {
            Log.CompletionDelayed(Logger, about, 1, e);
        }

        var context = ResilienceContextPool.Shared.Get(_stopped);
        context.Properties.Set(TaskIdKey, about);
        try
        {
            return await _completionRetry.ExecuteAsync(
                static (context, state) => state._store.CommitAsync(state.operation, state.mutation, state.fence),
                context,
                (_store, operation, mutation, fence)).ConfigureAwait(false);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

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

        return TaskOutcome.Failure(MessageOf(thrown));
    }

    /// <summary>An exception is the body's own code, whose message may itself fail or be missing.</summary>
    private static string MessageOf(Exception exception)
    {
        try
        {
            return string.IsNullOrEmpty(exception.Message) ? exception.GetType().Name : exception.Message;
        }
        catch (Exception)
        {
            return exception.GetType().Name;
        }
    }

    /// <summary>Stores the end of a task, or of an attempt at it.</summary>
    /// <param name="task">The task.</param>
    /// <param name="ambient">What its code sees of it.</param>
    /// <param name="outcome">What its body gave; <see langword="null"/> for an attempt that ends without its body.</param>
    /// <param name="startedAt">When the body was begun.</param>
    private async ValueTask StoreEndAsync(LiveTask task, AmbientTask? ambient, TaskOutcome? outcome, long startedAt)
    {
        var (first, events) = await task.SealEventsAsync().ConfigureAwait(false);
        var end = EndOf(task, outcome, first, events);
        try
        {
            var result = await CommitUntilLandedAsync(end is HandBackWork ? "hand_back" : "completion", end, task.Fence, task.TaskId)
                .ConfigureAwait(false);
            if (result.Status != CommitStatus.Landed)
            {
                Log.CompletionRefused(Logger, task.TaskId);
            }
            else
            {
                NoteEnd(task.TaskId, end, result.Answer!, startedAt);
            }

            Release(task, ambient);
        }
        catch (Exception e) when (e is ObjectDisposedException or OperationCanceledException)
        {
            // The manager is gone before the end was stored: the task is an orphan for the next host, and counts as running here.
            Log.CompletionDelayed(Logger, task.TaskId, 0, null);
            task.Release();
            ambient?.Release();
        }
    }

    private void NoteEnd(string taskId, Mutation end, MutationAnswer answer, long startedAt)
    {
        var state = answer is WorkHandedBack handedBack ? handedBack.State : ((FinishTask)end).State;
        if (state.IsTerminal())
        {
            _metrics.Finished(state, startedAt);
            Log.TaskEnded(Logger, taskId, state.ToWireName());
        }
        else
        {
            var error = ((HandBackWork)end).Error;
            _metrics.HandedBack(error is null ? "stopped" : "failed");
            Log.HandedBack(Logger, taskId, error ?? "its host stops");
        }
    }

    private Mutation EndOf(LiveTask task, TaskOutcome? outcome, int first, IReadOnlyList<CustomTaskEvent> events)
    {
        var end = task.Attempt is not { } attempt
            ? new FinishTask(task.TaskId, outcome!.State) { Error = outcome.Error, Result = outcome.Result }
            : outcome is null ? AttemptVerdict.WithoutBody(attempt, _options) : AttemptVerdict.Of(attempt, outcome, _options);
        var cancelledBy = task.UnstoredCancel;
        return events.Count == 0 && cancelledBy is null ? end : end switch
        {
            FinishTask finish => finish with { FirstEvent = first, Events = events, CancelledBy = cancelledBy },
            HandBackWork back => back with { FirstEvent = first, Events = events, CancelledBy = cancelledBy },
            _ => end,
        };
    }

    /// <summary>Tells whether the body is to be begun: not of an attempt that was told to stop before.</summary>
    private bool TryBegin(TaskAttempt attempt, AmbientTask ambient, long startedAt)
    {
        attempt.Ambient = ambient;
        if (attempt.Reason != StopReason.None)
        {
            return false;
        }

        attempt.Begin(startedAt, _options.TimeProvider);
        return true;
    }

    private void SignalIfGone(LiveTask task, HostFence fence)
    {
        if (_core.IsShuttingDown)
        {
            task.Signal(StopReason.Shutdown);
        }
        else if (_core.IsGivenUp(fence))
        {
            task.Signal(StopReason.Fenced);
        }
    }

    private void Release(LiveTask task, AmbientTask? ambient)
    {
        if (task.Inbox is { } inbox)
        {
            _core.Mailroom.EndAgent(inbox);
        }

        task.Release();
        ambient?.Release();
        _live.Remove(task);
        if (task.Attempt is { } attempt)
        {
            attempt.Release();
            attempt.Claimer.Ended();
        }
    }

    private async Task EndAbandonedAsync(LiveTask task)
    {
        try
        {
            // It is told of from inside the commit; to end it, it has to be there.
            if (await _store.Store.GetAsync(task.TaskId, _stopped).ConfigureAwait(false) is null)
            {
                Scheduler.Queue(new AbandonedTask(this, task));
                return;
            }

            await StoreEndAsync(
                task, null, TaskOutcome.Failure("The store confirmed the task only after its spawner had been told that it failed."), 0)
                .ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Log.RunFailed(Logger, task.TaskId, e);
        }
    }

    private async Task CloseInboxAsync(LiveTask task)
    {
        try
        {
            await CommitUntilLandedAsync("close_inbox", new CloseAgentInbox(task.TaskId) { Claim = task.Claim }, task.Fence, task.TaskId).ConfigureAwait(false);
        }
        catch (Exception e) when (e is ObjectDisposedException or OperationCanceledException)
        {
            // The manager is gone, and with it whoever would read the inbox.
        }
        catch (Exception e)
        {
            Log.RunFailed(Logger, task.TaskId, e);
        }
    }

    private static ResiliencePipeline CreateCompletionRetry(BackgroundTaskOptions options, ILogger logger) =>
        new ResiliencePipelineBuilder { TimeProvider = options.TimeProvider }
            .AddRetry(new RetryStrategyOptions
            {
                ShouldHandle = new PredicateBuilder().Handle<TaskStoreException>(),
                MaxRetryAttempts = int.MaxValue,
                Delay = TimeSpan.FromMilliseconds(50),
                MaxDelay = TimeSpan.FromSeconds(10),
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Randomizer = options.Scheduler.NextDouble,
                OnRetry = retry =>
                {
                    Log.CompletionDelayed(
                        logger, retry.Context.Properties.GetValue(TaskIdKey, ""), retry.AttemptNumber + 2, retry.Outcome.Exception);
                    return default;
                },
            })
            .Build();

    private static ResiliencePipeline CreateReadRetry(BackgroundTaskOptions options, ILogger logger) =>
        new ResiliencePipelineBuilder { TimeProvider = options.TimeProvider }
            .AddRetry(new RetryStrategyOptions
            {
                ShouldHandle = new PredicateBuilder().Handle<TaskStoreException>(static e => e.IsTransient),
                MaxRetryAttempts = int.MaxValue,
                Delay = TimeSpan.FromMilliseconds(50),
                MaxDelay = TimeSpan.FromSeconds(10),
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Randomizer = options.Scheduler.NextDouble,
                OnRetry = retry =>
                {
                    Log.CommitFailed(logger, "read_steps", retry.Outcome.Exception!);
                    return default;
                },
            })
            .Build();

    private sealed class AbandonedTask(TaskRunner runner, LiveTask task) : IThreadPoolWorkItem
    {
        public void Execute() => _ = runner.EndAbandonedAsync(task);
    }
}
