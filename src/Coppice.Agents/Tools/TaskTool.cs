using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Coppice.Agents;

/// <summary>A tool for the model of one thread. It reads its arguments by its own schema, and turns every fault into an answer.</summary>
internal abstract class TaskTool(string name, string description, JsonElement schema, ToolDoor door) : AIFunction
{
    public sealed override string Name { get; } = name;

    public sealed override string Description { get; } = description;

    public sealed override JsonElement JsonSchema { get; } = schema;

    protected ToolDoor Door { get; } = door;

    protected abstract ValueTask<JsonElement> AnswerAsync(ToolArguments arguments, CancellationToken cancellationToken);

    protected sealed override async ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken)
    {
        try
        {
            return await AnswerAsync(ToolArguments.Read(arguments, JsonSchema), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (!ToolFaults.PassesThrough(e, cancellationToken))
        {
            return ToolFaults.Answer(e);
        }
    }
}
