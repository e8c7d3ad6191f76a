using Microsoft.Extensions.Logging;

namespace Coppice.Testing.Tests;

/// <summary>Starts each body as often as it is told, not once.</summary>
internal sealed class BrokenScheduler(int starts, WorkScheduler? inner = null) : WorkScheduler
{
    internal override bool RunsContinuationsApart => inner!.RunsContinuationsApart;

    internal override bool CanStandStill => inner!.CanStandStill;

    internal BrokenScheduler InFrontOf(WorkScheduler scheduler) => new(starts, scheduler);

    internal override void Queue(IThreadPoolWorkItem work)
    {
        for (var i = work is LiveTask ? starts : 1; i > 0; i--)
        {
            inner!.Queue(work);
        }
    }

    internal override void QueueBlocking(IThreadPoolWorkItem work, string threadName) => Queue(work);

    internal override void Cancel(CancellationTokenSource source, string taskId, ILogger logger) => inner!.Cancel(source, taskId, logger);

    internal override Task CancelAsync(CancellationTokenSource source) => inner!.CancelAsync(source);

    internal override void Complete(TaskCompletionSource source, Exception? failure = null) => inner!.Complete(source, failure);

    internal override Task WaitFor(TaskCompletionSource source) => inner!.WaitFor(source);

    internal override Guid NewGuid() => inner!.NewGuid();

    internal override double NextDouble() => inner!.NextDouble();
}
