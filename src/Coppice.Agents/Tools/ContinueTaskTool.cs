using System.Text.Json;

namespace Coppice.Agents;

/// <summary>Gives a sub-agent that has ended a follow-up, with its conversation so far.</summary>
internal sealed class ContinueTaskTool(ToolDoor door) : TaskTool(BackgroundTaskTools.ContinueTask, About, Schema, door)
{
    private const string TaskStillRunning = "task_still_running";
    private const string AgentUnavailable = "agent_unavailable";

    private const string About =
        "Gives a sub-agent that has ended a follow-up: it goes on with the conversation it had, as a new task. Use it to ask about its result or to have it "
        + "corrected. Returns at once with the new task_id; you are told the result when it has ended. To write to one that still works use send_message.";

    private static readonly JsonElement Schema = JsonElement.Parse(
        """
        {"type":"object","properties":{
         "task_id":{"type":"string","minLength":1,"maxLength":256,"description":"The sub-agent's task that has ended."},
         "prompt":{"type":"string","minLength":1,"description":"What it is to do now."},
         "name":{"type":"string","minLength":1,"maxLength":128,"description":"A name for the new task; unique among your running tasks."}},
         "required":["task_id","prompt"],"additionalProperties":false}
        """);

    internal override bool IsIdempotent => Door.AreAgentsRegistered;

    protected override async ValueTask<JsonElement> AnswerAsync(ToolArguments arguments, CancellationToken cancellationToken)
    {
        var taskId = arguments.Text("task_id")!;
        if (await Door.FindAsync(taskId, cancellationToken).ConfigureAwait(false) is not { AgentThreadId: { } threadId } task)
        {
            return ToolFaults.NotFound(taskId);
        }

        if (!task.State.IsTerminal())
        {
            return JsonAnswer.Error(TaskStillRunning, "It still works. send_message reaches it; you are told when it has ended.");
        }

        var name = await Door.Manager.FindAgentNameAsync(threadId, cancellationToken).ConfigureAwait(false);
        if (Door.Options.Agents.FirstOrDefault(agent => name is null ? agent.Kind.Name == task.Work?.Kind : agent.Name == name) is not { } agent)
        {
            return JsonAnswer.Error(AgentUnavailable, "The sub-agent that did this task is not offered any more. Spawn another one.");
        }

        var next = await Door.Manager.ContinueAgentAsync(
            taskId, agent, arguments.Text("prompt")!, Door.OptionsFor(agent, arguments.Text("name")), cancellationToken).ConfigureAwait(false);
        return AgentReceipt.Running(next, taskId);
    }
}
