using Microsoft.Extensions.Logging;

namespace Coppice;

/// <summary>
/// How a manager's work gets onto threads, and where its chance comes from: all that would run apart from its caller goes through here.
/// One implementation serves the world; the other lets a simulation decide what happens when, so that it can do it again.
/// </summary>
internal abstract class WorkScheduler
{
    /// <summary>Gets the one that works with the thread pool.</summary>
    internal static WorkScheduler Pool { get; } = new PoolScheduler();

    /// <summary>Gets whether continuations run apart from whoever completes what they wait for.</summary>
    internal abstract bool RunsContinuationsApart { get; }

    /// <summary>Gets whether a thread may stand still for a moment until another has done something.</summary>
    internal abstract bool CanStandStill { get; }

    /// <summary>Runs work soon, not on the stack of the caller and in no ambient context.</summary>
    internal abstract void Queue(IThreadPoolWorkItem work);

    /// <summary>Runs work that may block, on a thread of its own where the system gives one.</summary>
    internal abstract void QueueBlocking(IThreadPoolWorkItem work, string threadName);

    /// <summary>Cancels a source soon. Its callbacks are other people's code: they may block or throw, and nobody here waits for them.</summary>
    internal abstract void Cancel(CancellationTokenSource source, string taskId, ILogger logger);

    /// <summary>Cancels a source of the manager's own, and completes when its callbacks have run.</summary>
    internal abstract Task CancelAsync(CancellationTokenSource source);

    /// <summary>Completes a source of <see cref="CreateSource"/>, perhaps under locks: what waits for it runs later.</summary>
    internal abstract void Complete(TaskCompletionSource source, Exception? failure = null);

    /// <summary>
    /// What waits for a source of <see cref="CreateSource"/>. Of several that wait for one task the framework lets only one continue on
    /// the stack that completes it, so a scheduler may give each a task of its own.
    /// </summary>
    internal virtual Task WaitFor(TaskCompletionSource source) => source.Task;

    internal abstract Guid NewGuid();

    /// <summary>A number from 0 to under 1, to spread retries by.</summary>
    internal abstract double NextDouble();

    /// <summary>An attempt at a task of a registered kind begins: its body is about to run. For who watches; the world does not.</summary>
    internal virtual void OnAttemptBegun(LiveTask task)
    {
    }

    /// <summary>A body has ended, and this is what is going to be stored.</summary>
    internal virtual void OnBodyEnded(LiveTask task, TaskOutcome outcome)
    {
    }

    /// <summary>A body was signalled.</summary>
    internal virtual void OnSignalled(LiveTask task)
    {
    }

    /// <summary>An event was accepted.</summary>
    internal virtual void OnEmitted(LiveTask task, CustomTaskEvent custom)
    {
    }

    /// <summary>A body makes room for others while it waits, or has gone on.</summary>
    internal virtual void OnParked(bool begins)
    {
    }

    internal TaskCompletionSource CreateSource() =>
        new(RunsContinuationsApart ? TaskCreationOptions.RunContinuationsAsynchronously : TaskCreationOptions.None);
}
