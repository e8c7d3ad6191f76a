namespace Coppice;

/// <summary>A task's body in whatever form it was given.</summary>
internal abstract class TaskBody
{
    /// <summary>Starts the body.</summary>
    internal abstract Task Start(TaskContext context);

    /// <summary>The outcome of what <see cref="Start"/> returned and has ended well; <see langword="null"/> is a body that returned nothing for one.</summary>
    internal abstract TaskOutcome? OutcomeOf(Task ended);

    protected static InvalidOperationException ReturnedNoTask() => new("The body returned null instead of a task.");
}

/// <summary>A body that returns its outcome.</summary>
internal sealed class OutcomeBody(Func<TaskContext, Task<TaskOutcome>> body) : TaskBody
{
    internal override Task Start(TaskContext context) => body(context) ?? throw ReturnedNoTask();

    internal override TaskOutcome? OutcomeOf(Task ended) => ((Task<TaskOutcome>)ended).Result;
}

/// <summary>An agent's body.</summary>
internal sealed class AgentBody(Func<AgentTaskContext, Task<TaskOutcome>> body) : TaskBody
{
    internal override Task Start(TaskContext context) => body((AgentTaskContext)context) ?? throw ReturnedNoTask();

    internal override TaskOutcome? OutcomeOf(Task ended) => ((Task<TaskOutcome>)ended).Result;
}

/// <summary>A body that returns a value: returning is success, throwing is failure.</summary>
internal sealed class ValueBody<T>(Func<TaskContext, Task<T>> body, Func<T, TaskOutcome> toOutcome) : TaskBody
{
    internal override Task Start(TaskContext context) => body(context) ?? throw ReturnedNoTask();

    internal override TaskOutcome? OutcomeOf(Task ended)
    {
        var value = ((Task<T>)ended).Result;
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
            return TaskOutcome.Failure($"The result cannot be stored: {typeof(T).Name} cannot be written as JSON. {ExceptionText.Of(e)}");
        }
    }
}

/// <summary>A body that returns nothing: returning is success without a result.</summary>
internal sealed class PlainBody(Func<TaskContext, Task> body) : TaskBody
{
    internal override Task Start(TaskContext context) => body(context) ?? throw ReturnedNoTask();

    internal override TaskOutcome? OutcomeOf(Task ended) => TaskOutcome.SuccessWithoutResult;
}
