using System.Text.Json;
using System.Text.Json.Nodes;

namespace Coppice.Agents;

/// <summary>Spawns one of the sub-agents that the application offers.</summary>
internal sealed class SpawnAgentTool(ToolDoor door) : TaskTool(BackgroundTaskTools.SpawnAgent, About(door), SchemaOf(door), door)
{
    // Only the tasks of registered agents are found again by their key.
    internal override bool IsIdempotent => Door.AreAgentsRegistered;

    protected override async ValueTask<JsonElement> AnswerAsync(ToolArguments arguments, CancellationToken cancellationToken)
    {
        var name = arguments.Text("agent")!;
        var agent = Door.Options.Agents.First(agent => agent.Name == name);
        var taskId = await Door.Manager.SpawnAgentAsync(
            Door.ThreadId, agent, arguments.Text("prompt")!, Door.OptionsFor(agent, arguments.Text("name")), cancellationToken).ConfigureAwait(false);
        return AgentReceipt.Running(taskId);
    }

    private static string About(ToolDoor door) =>
        "Sets a sub-agent to work on something in the background. It has its own conversation and sees nothing of yours, so put everything it needs into "
        + "the prompt. Returns at once with a task_id while it works by itself: go on with something else, do not ask for it again and again; you are told "
        + "its result when it has ended. send_message reaches it while it works, cancel_task stops it."
        + string.Concat(door.Options.Agents.Select(agent => $" '{agent.Name}': {agent.Description}".TrimEnd(':', ' ')));

    private static JsonElement SchemaOf(ToolDoor door)
    {
        var schema = JsonNode.Parse(
            """
            {"type":"object","properties":{
             "agent":{"type":"string","description":"Which sub-agent."},
             "prompt":{"type":"string","minLength":1,"description":"What it is to do, with all it has to know."},
             "name":{"type":"string","minLength":1,"maxLength":128,"description":"A name for the task, by which you can write to it and cancel it; unique among your running tasks."}},
             "required":["agent","prompt"],"additionalProperties":false}
            """)!;
        schema["properties"]!["agent"]!["enum"] = new JsonArray([.. door.Options.Agents.Select(agent => (JsonNode)JsonValue.Create(agent.Name)!)]);
        return JsonElement.Parse(schema.ToJsonString());
    }
}
