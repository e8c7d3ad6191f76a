namespace Coppice.Workloads;

/// <summary>The bodies that measurements run.</summary>
internal static class Bodies
{
    internal static readonly Func<TaskContext, Task> Empty = static _ => Task.CompletedTask;

    /// <summary>Parks until the task is cancelled, in the way a context offers.</summary>
    internal static readonly Func<TaskContext, Task<TaskOutcome>> Parked = static async context =>
    {
        await context.WhenCancelledAsync();
        return TaskOutcome.Cancelled;
    };

    /// <summary>Parks on the task's token: a registration completes a completion source.</summary>
    internal static readonly Func<TaskContext, Task<TaskOutcome>> ParkedOnToken = static async context =>
    {
        await WhenCancelled(context.CancellationToken);
        return TaskOutcome.Cancelled;
    };

    /// <summary>Parks on the task's token and ends by the exception that this throws.</summary>
    internal static readonly Func<TaskContext, Task<TaskOutcome>> ParkedThrowing = static async context =>
    {
        await Forever(context.CancellationToken);
        return TaskOutcome.Cancelled;
    };

    internal static Task WhenCancelled(CancellationToken token)
    {
        var parked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        token.UnsafeRegister(static state => ((TaskCompletionSource)state!).TrySetResult(), parked);
        return parked.Task;
    }

    internal static Task Forever(CancellationToken token) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token);
}
