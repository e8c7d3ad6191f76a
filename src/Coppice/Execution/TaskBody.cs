namespace Coppice;

/// <summary>A task's body in whatever form it was given.</summary>
internal abstract class TaskBody
{
    /// <summary>Runs the body. A <see langword="null"/> outcome is what a body returned that returned nothing.</summary>
    internal abstract ValueTask<TaskOutcome?> RunAsync(TaskContext context);

    protected static InvalidOperationException ReturnedNoTask() => new("The body returned null instead of a task.");
}

/// <summary>A body that returns its outcome.</summary>
internal sealed class OutcomeBody(Func<TaskContext, Task<TaskOutcome>> body) : TaskBody
{
    internal override ValueTask<TaskOutcome?> RunAsync(TaskContext context) =>
        new((body(context) ?? throw ReturnedNoTask())!);
}

/// <summary>An agent's body.</summary>
internal sealed class AgentBody(Func<AgentTaskContext, Task<TaskOutcome>> body) : TaskBody
{
    internal override ValueTask<TaskOutcome?> RunAsync(TaskContext context) =>
        new((body((AgentTaskContext)context) ?? throw ReturnedNoTask())!);
}

/// <summary>A body that returns a value: returning is success, throwing is failure.</summary>
internal sealed class ValueBody<T>(Func<TaskContext, Task<T>> body, Func<T, TaskOutcome> toOutcome) : TaskBody
{
    internal override async ValueTask<TaskOutcome?> RunAsync(TaskContext context)
    {
        var value = await (body(context) ?? throw ReturnedNoTask()).ConfigureAwait(false);
        if (value is TaskOutcome outcome)
        {
            return outcome;
        }

        try
        {
            return toOutcome(value);
        }
        catch (Exception e)
        {
            return TaskOutcome.Failure($"The result cannot be stored: {typeof(T).Name} cannot be written as JSON. {e.Message}");
        }
    }
}

/// <summary>A body that returns nothing: returning is success without a result.</summary>
internal sealed class PlainBody(Func<TaskContext, Task> body) : TaskBody
{
    internal override async ValueTask<TaskOutcome?> RunAsync(TaskContext context)
    {
        await (body(context) ?? throw ReturnedNoTask()).ConfigureAwait(false);
        return TaskOutcome.SuccessWithoutResult;
    }
}
