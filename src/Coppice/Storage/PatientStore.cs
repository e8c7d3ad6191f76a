using Microsoft.Extensions.Logging;
using Polly;
using Polly.Retry;

namespace Coppice;

/// <summary>
/// A manager's way to its store for what must not come to nothing: where the store fails it is tried again, with growing pauses, for as long as the
/// process lives.
/// </summary>
internal sealed class PatientStore
{
    private static readonly ResiliencePropertyKey<Storing> StoringKey = new("storing");

    private readonly StoreGateway _store;
    private readonly ILogger _logger;
    private readonly CancellationToken _stopped;
    private readonly ResiliencePipeline _commitRetry;
    private readonly ResiliencePipeline _readRetry;

    internal PatientStore(StoreGateway store, BackgroundTaskOptions options, ILogger logger, CancellationToken stopped)
    {
        _store = store;
        _logger = logger;
        _stopped = stopped;
        _commitRetry = CreateRetry(options, static _ => true, (retry, failure) =>
            NoteDelay(retry.Context.Properties.GetValue(StoringKey, default), retry.AttemptNumber + 2, failure));
        _readRetry = CreateRetry(options, static failure => failure.IsTransient, (_, failure) => Log.CommitFailed(logger, "read_steps", failure));
    }

    /// <summary>Stores one change.</summary>
    /// <param name="operation">What it is for, as metrics and logs call it.</param>
    /// <param name="mutation">The change.</param>
    /// <param name="fence">Who makes it.</param>
    /// <param name="taskId">The task that it is about, for the log; <see langword="null"/> for a mailbox.</param>
    /// <exception cref="OperationCanceledException">The manager is gone.</exception>
    /// <exception cref="ObjectDisposedException">The manager is gone.</exception>
    internal async ValueTask<CommitResult> CommitAsync(string operation, Mutation mutation, HostFence fence, string? taskId)
    {
        var storing = new Storing(operation, mutation, fence, taskId);
        try
        {
            return await _store.CommitAsync(operation, mutation, fence).ConfigureAwait(false);
        }
        catch (TaskStoreException e)
        {
            NoteDelay(storing, 1, e);
        }

        var context = ResilienceContextPool.Shared.Get(_stopped);
        context.Properties.Set(StoringKey, storing);
        try
        {
            return await _commitRetry.ExecuteAsync(
                static (context, state) => state._store.CommitAsync(state.storing.Operation, state.storing.Mutation, state.storing.Fence),
                context,
                (_store, storing)).ConfigureAwait(false);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    /// <summary>Reads steps, trying again for as long as the store's trouble may pass.</summary>
    /// <param name="taskId">The task.</param>
    /// <param name="from">How many to leave out.</param>
    /// <param name="limit">How many at the most.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    internal async ValueTask<IReadOnlyList<TaskStep>> ReadStepsAsync(string taskId, int from, int limit, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(_stopped, cancellationToken);
        return await _readRetry.ExecuteAsync(
            static (state, token) => state.Store.ReadStepsAsync(state.taskId, state.from, state.limit, token),
            (_store.Store, taskId, from, limit),
            stop.Token).ConfigureAwait(false);
    }

    private void NoteDelay(in Storing storing, int attempt, Exception failure)
    {
        if (storing.Mutation is CloseMailbox close)
        {
            Log.InboxCloseDelayed(_logger, close.ThreadId, failure);
        }
        else
        {
            Log.StoringDelayed(_logger, storing.Operation, storing.TaskId ?? "", attempt, failure);
        }
    }

    private static ResiliencePipeline CreateRetry(
        BackgroundTaskOptions options, Func<TaskStoreException, bool> isTriedAgain, Action<OnRetryArguments<object>, TaskStoreException> onRetry) =>
        new ResiliencePipelineBuilder { TimeProvider = options.TimeProvider }
            .AddRetry(new RetryStrategyOptions
            {
                ShouldHandle = new PredicateBuilder().Handle(isTriedAgain),
                MaxRetryAttempts = int.MaxValue,
                Delay = TimeSpan.FromMilliseconds(50),
                MaxDelay = TimeSpan.FromSeconds(10),
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Randomizer = options.Scheduler.NextDouble,
                OnRetry = retry =>
                {
                    onRetry(retry, (TaskStoreException)retry.Outcome.Exception!);
                    return default;
                },
            })
            .Build();

    /// <summary>A change that is being stored, and what the log says of it.</summary>
    private readonly record struct Storing(string Operation, Mutation Mutation, HostFence Fence, string? TaskId);
}
