namespace Coppice.StoreContract;

/// <summary>Bodies that many tests use.</summary>
public static class Bodies
{
    /// <summary>Waits for its token, then ends as cancelled.</summary>
    public static async Task<TaskOutcome> Park(TaskContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        await context.WhenCancelledAsync();
        return TaskOutcome.Cancelled;
    }

    /// <summary>Ends at once.</summary>
    public static Task<TaskOutcome> Done(TaskContext context) => Task.FromResult(TaskOutcome.Success("done"));

    /// <summary>Waits for a signal or its token, then ends with success, whichever it was.</summary>
    public static Func<TaskContext, Task<TaskOutcome>> Until(Signal signal) => async context =>
    {
        await Task.WhenAny(signal.Task, context.WhenCancelledAsync());
        return TaskOutcome.Success("done");
    };

    /// <summary>Waits for a signal, whatever its token says, then ends with success.</summary>
    public static Func<TaskContext, Task<TaskOutcome>> Only(Signal signal) => async _ =>
    {
        await signal.Task;
        return TaskOutcome.Success("done");
    };

    /// <summary>Ends in a state.</summary>
    public static Task<TaskOutcome> As(TaskState state) => Task.FromResult(state switch
    {
        TaskState.Completed => TaskOutcome.Success("done"),
        TaskState.Failed => TaskOutcome.Failure("boom"),
        TaskState.Cancelled => TaskOutcome.Cancelled,
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "A body ends in a terminal state."),
    });
}
