using Coppice.Agents;
using Microsoft.Extensions.AI;

namespace Coppice;

/// <summary>Puts any tool into the background.</summary>
public static class BackgroundFunctionExtensions
{
    /// <summary>
    /// The same function as one that answers at once with <c>{"task_id":"bg_4","status":"running"}</c>, while the work goes on as a task of a
    /// thread: what it returns is the task's result, what it throws its failure. The task's token takes the place of the call's.
    /// </summary>
    /// <param name="function">The function.</param>
    /// <param name="manager">The manager that runs the tasks.</param>
    /// <param name="threadId">The thread that owns them.</param>
    /// <param name="options">How; copied.</param>
    /// <remarks>
    /// The arguments are copied for the task: JSON and nested collections of plain values deeply, other objects as references. Where
    /// <see cref="AIFunctionArguments.Services"/> has an <c>IServiceScopeFactory</c>, the task has a scope of its own, which is disposed when the work has
    /// ended. A task that is refused, or a store that fails, is an answer that says so.
    /// </remarks>
    /// <exception cref="ArgumentException">
    /// An argument is missing, an option is out of its range, the function is in the background already, or it has a parameter of the
    /// name of an argument that would be added.
    /// </exception>
    public static AIFunction InBackground(
        this AIFunction function, BackgroundTaskManager manager, string threadId, BackgroundFunctionOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(function);
        ArgumentNullException.ThrowIfNull(manager);
        ArgumentException.ThrowIfNullOrEmpty(threadId);
        return new BackgroundFunction(function, new ThreadScope(manager, threadId), options ?? new());
    }

    /// <summary>
    /// The same function as one whose work runs as a task of whichever thread the call is made for: that of the chat client that calls
    /// it, or the own thread of the agent task whose body does. Elsewhere the answer says that there is none.
    /// </summary>
    /// <inheritdoc cref="InBackground(AIFunction, BackgroundTaskManager, string, BackgroundFunctionOptions?)"/>
    public static AIFunction InBackground(this AIFunction function, BackgroundFunctionOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(function);
        return new BackgroundFunction(function, null, options ?? new());
    }
}
