using Microsoft.Extensions.Logging;
using Polly;
using Polly.Retry;

namespace Coppice;

/// <summary>
/// A manager's one way to its store: makes the batches, measures them, finds lost answers, and lets nothing through once the manager
/// is disposed.
/// </summary>
internal sealed class StoreGateway(ITaskStore store, BackgroundTaskOptions options, TaskMetrics metrics, ILogger logger)
{
    private static readonly TimeSpan FirstLook = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LastLook = TimeSpan.FromSeconds(10);

    private readonly ClosingGate _gate = new(options.Scheduler);

    // A store that is away for longer fails its caller; should the batch turn out to have landed, the manager ends its task.
    private readonly ResiliencePipeline _lookup = new ResiliencePipelineBuilder { TimeProvider = options.TimeProvider }
        .AddRetry(new RetryStrategyOptions
        {
            ShouldHandle = new PredicateBuilder().Handle<TaskStoreException>(e => e.IsTransient),
            MaxRetryAttempts = 5,
            Delay = TimeSpan.FromMilliseconds(20),
            BackoffType = DelayBackoffType.Exponential,
        })
        .Build();

    private long _batches;

    internal ITaskStore Store => store;

    internal async ValueTask<int> CountUnreadEventsAsync(string threadId) =>
        await store.CountUnreadEventsAsync(threadId, CancellationToken.None).ConfigureAwait(false);

    /// <summary>Stores one change.</summary>
    /// <param name="operation">What it is for, as metrics and logs call it.</param>
    /// <param name="mutation">The change.</param>
    /// <param name="fence">Who makes it.</param>
    /// <param name="observer">Hears that it has landed; see <see cref="MutationBatch"/>.</param>
    /// <param name="cancellationToken">Gives it up until the store's writer has it.</param>
    /// <exception cref="ObjectDisposedException">The manager is disposed.</exception>
    /// <exception cref="TaskStoreException">The store failed, and nothing is stored as far as can be known.</exception>
    internal ValueTask<CommitResult> CommitAsync(
        string operation, Mutation mutation, HostFence fence, ICommitObserver? observer = null, CancellationToken cancellationToken = default)
    {
        if (!_gate.TryEnter())
        {
            throw new ObjectDisposedException(nameof(BackgroundTaskManager), "The manager is disposed.");
        }

        var startedAt = metrics.Now();
        var batch = new MutationBatch(
            NextId(fence), fence, options.TimeProvider.GetUtcNow(), mutation, observer);
        ValueTask<CommitResult> commit;
        try
        {
            commit = store.CommitAsync(batch, cancellationToken);
            if (!commit.IsCompletedSuccessfully)
            {
                return FinishAsync(operation, batch, commit, startedAt, cancellationToken);
            }
        }
        catch (Exception e)
        {
            commit = ValueTask.FromException<CommitResult>(e);
            return FinishAsync(operation, batch, commit, startedAt, cancellationToken);
        }

        var result = commit.Result;
        metrics.Committed(operation, startedAt, result.GroupSize);
        _gate.Exit();
        return ValueTask.FromResult(result);
    }

    /// <summary>Reads a task that is known to be there, trying again where the store fails; <see langword="null"/> when it goes on failing.</summary>
    internal async ValueTask<TaskSnapshot?> ReadAsync(string taskId)
    {
        try
        {
            return await _lookup.ExecuteAsync(
                static (state, token) => state.store.GetAsync(state.taskId, token), (store, taskId), CancellationToken.None)
                .ConfigureAwait(false);
        }
        catch (TaskStoreException e)
        {
            Log.CommitFailed(logger, "read", e);
            return null;
        }
    }

    /// <summary>Lets nothing more through, and waits until what is on its way has been answered.</summary>
    internal Task CloseAsync() => _gate.CloseAsync();

    /// <summary>A host that has not joined has no epoch that tells its batches from another's: only chance does.</summary>
    private BatchId NextId(HostFence fence)
    {
        if (fence != HostFence.None)
        {
            return new BatchId(fence.Epoch, Interlocked.Increment(ref _batches));
        }

        Span<byte> chance = stackalloc byte[16];
        options.Scheduler.NewGuid().TryWriteBytes(chance);
        return new BatchId(0, (BitConverter.ToInt64(chance) ^ BitConverter.ToInt64(chance[8..])) & long.MaxValue);
    }

    private async ValueTask<CommitResult> FinishAsync(
        string operation, MutationBatch batch, ValueTask<CommitResult> commit, long startedAt, CancellationToken cancellationToken)
    {
        try
        {
            var result = await commit.ConfigureAwait(false);
            metrics.Committed(operation, startedAt, result.GroupSize);
            return result;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested && batch.Result is null)
        {
            throw;
        }
        catch (Exception e)
        {
            metrics.CommitFailed(operation);
            Log.CommitFailed(logger, operation, e);
            return await FindAsync(batch, e).ConfigureAwait(false);
        }
        finally
        {
            _gate.Exit();
        }
    }

    /// <summary>
    /// The caller was told that it failed, and that is not known. Goes on looking for as long as the manager lives: should the batch have
    /// landed, its observer undoes what nobody wants any more.
    /// </summary>
    private async Task FindLaterAsync(MutationBatch batch)
    {
        for (var pause = FirstLook; batch.Result is null; pause = pause * 2 < LastLook ? pause * 2 : LastLook)
        {
            await Task.Delay(pause, options.TimeProvider).ConfigureAwait(false);
            if (!_gate.TryEnter())
            {
                return;
            }

            try
            {
                var found = await store.FindCommitAsync(batch, CancellationToken.None).ConfigureAwait(false);
                if (found is not null && batch.Result is null)
                {
                    batch.MarkLanded(found);
                }

                return;
            }
            catch (TaskStoreException e)
            {
                Log.CommitFailed(logger, "find_commit", e);
            }
            catch (ObjectDisposedException)
            {
                return;
            }
            finally
            {
                _gate.Exit();
            }
        }
    }

    /// <summary>Law 1: nobody is answered before it is known whether the batch landed.</summary>
    private async ValueTask<CommitResult> FindAsync(MutationBatch batch, Exception failure)
    {
        if (batch.Result is { } landed)
        {
            landed.WasFound = true;
            return landed;
        }

        if (failure is not TaskStoreException { IsKnownNotCommitted: true })
        {
            try
            {
                var found = await _lookup.ExecuteAsync(
                    static (state, token) => state.store.FindCommitAsync(state.batch, token), (store, batch), CancellationToken.None)
                    .ConfigureAwait(false);
                if (found is not null)
                {
                    if (batch.Result is null)
                    {
                        batch.MarkLanded(found);
                    }

                    found.WasFound = true;
                    return found;
                }
            }
            catch (Exception e) when (e is not ObjectDisposedException)
            {
                Log.CommitFailed(logger, "find_commit", e);
                if (batch.IsObserved)
                {
                    _ = FindLaterAsync(batch);
                }
            }
        }

        throw failure as TaskStoreException
            ?? new TaskStoreException($"The store failed: {failure.Message}", isTransient: false, failure);
    }
}
