using Microsoft.Extensions.Logging;

namespace Coppice;

/// <summary>Works with the thread pool, and for what may block with threads apart from it.</summary>
internal sealed class PoolScheduler : WorkScheduler
{
    internal override bool RunsContinuationsApart => true;

    internal override bool CanStandStill => true;

    internal override void Queue(IThreadPoolWorkItem work) => ThreadPool.UnsafeQueueUserWorkItem(work, preferLocal: false);

    internal override void QueueBlocking(IThreadPoolWorkItem work, string threadName)
    {
        try
        {
            new Thread(work.Execute) { IsBackground = true, Name = threadName }.UnsafeStart();
        }
        catch (Exception e) when (e is OutOfMemoryException or ThreadStartException)
        {
            // The system gives no more threads; what is stored already runs where it can.
            Queue(work);
        }
    }

    internal override void Cancel(CancellationTokenSource source, string taskId, ILogger logger) =>
        SignalThreads.Cancel(source, taskId, logger);

    internal override Task CancelAsync(CancellationTokenSource source) => source.CancelAsync();

    internal override void Complete(TaskCompletionSource source, Exception? failure)
    {
        if (failure is null)
        {
            source.TrySetResult();
        }
        else
        {
            source.TrySetException(failure);
        }
    }

    internal override Guid NewGuid() => Guid.CreateVersion7();

    internal override double NextDouble() => Random.Shared.NextDouble();
}
