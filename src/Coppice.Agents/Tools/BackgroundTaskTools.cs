using Coppice.Agents;
using Microsoft.Extensions.AI;

namespace Coppice;

/// <summary>
/// The tools with which a model works on the background tasks of its thread: look at them, wait for them, write to them, cancel them.
/// They are plain <see cref="AIFunction"/>s and work in every pipeline.
/// </summary>
/// <remarks>
/// A tool acts for its one thread and finds no task of another. What goes wrong is an answer that says so: only the cancellation of the
/// call's own token and <see cref="ObjectDisposedException"/> are thrown.
/// </remarks>
public static class BackgroundTaskTools
{
    /// <summary>The name of the tool that lists tasks.</summary>
    public const string ListTasks = "list_tasks";

    /// <summary>The name of the tool that reads one task and its result.</summary>
    public const string GetTask = "get_task";

    /// <summary>The name of the tool that waits until tasks have ended.</summary>
    public const string WaitForTasks = "wait_for_tasks";

    /// <summary>The name of the tool that sends a message to an agent.</summary>
    public const string SendMessage = "send_message";

    /// <summary>The name of the tool that cancels a task with all below it.</summary>
    public const string CancelTask = "cancel_task";

    /// <summary>The name of the tool that cancels a task with all below it, waits, and tells what became of each.</summary>
    public const string StopTask = "stop_task";

    /// <summary>The name of the tool that shows messages that failed, and sends them again.</summary>
    public const string RecoverFailedMessages = "recover_failed_messages";

    /// <summary>The name of the tool that spawns a sub-agent. It is there when <see cref="BackgroundTaskToolOptions.Agents"/> names some.</summary>
    public const string SpawnAgent = "spawn_agent";

    /// <summary>The name of the tool that gives an ended sub-agent a follow-up. It is there with <see cref="SpawnAgent"/>.</summary>
    public const string ContinueTask = "continue_task";

    /// <summary>The name of the tool that spawns a task of a registered kind. It is there when <see cref="BackgroundTaskToolOptions.Kinds"/> offers some.</summary>
    public const string SpawnTask = "spawn_task";

    /// <summary>Gets the names of all the tools.</summary>
    public static IReadOnlyList<string> Names { get; } =
        [ListTasks, GetTask, WaitForTasks, SendMessage, CancelTask, StopTask, RecoverFailedMessages, SpawnAgent, ContinueTask, SpawnTask];

    /// <summary>Makes the tools of a thread.</summary>
    /// <param name="manager">The manager that runs its tasks.</param>
    /// <param name="threadId">The thread: the one that owns the tasks and whose model is given the tools.</param>
    /// <param name="options">How they work; copied.</param>
    /// <returns>The tools, in the order of <see cref="Names"/>. Safe for concurrent calls.</returns>
    /// <exception cref="ArgumentException">An argument is missing, or an option is out of its range.</exception>
    public static IReadOnlyList<AIFunction> For(
        BackgroundTaskManager manager, string threadId, BackgroundTaskToolOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(manager);
        ArgumentException.ThrowIfNullOrEmpty(threadId);
        var copy = (options ?? new BackgroundTaskToolOptions()).CloneChecked();
        var door = new ToolDoor(manager, threadId, copy);
        List<AIFunction> all =
        [
            new ListTasksTool(door), new GetTaskTool(door), new WaitForTasksTool(door), new SendMessageTool(door), new CancelTaskTool(door),
            new StopTaskTool(door), new RecoverFailedMessagesTool(door),
        ];
        if (copy.Agents.Count > 0)
        {
            all.Add(new SpawnAgentTool(door));
            all.Add(new ContinueTaskTool(door));
        }

        if (SpawnTaskTool.OfferedBy(manager, copy.Kinds) is { Count: > 0 } kinds)
        {
            all.Add(new SpawnTaskTool(door, kinds));
        }

        return [.. all.Where(tool => !copy.Exclude.Contains(tool.Name))];
    }
}
