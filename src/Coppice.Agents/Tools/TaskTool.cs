using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Coppice.Agents;

/// <summary>A tool for the model of one thread. It reads its arguments by its own schema, and turns every fault into an answer.</summary>
internal abstract class TaskTool(string name, string description, JsonElement schema, ToolDoor door) : AIFunction
{
    private static readonly IReadOnlyDictionary<string, object?> IdempotentProperties =
        new Dictionary<string, object?> { [IdempotentFunctionExtensions.IdempotentKey] = true };

    public sealed override string Name { get; } = name;

    public sealed override string Description { get; } = description;

    public sealed override JsonElement JsonSchema { get; } = schema;

    public sealed override IReadOnlyDictionary<string, object?> AdditionalProperties =>
        IsIdempotent ? IdempotentProperties : base.AdditionalProperties;

    /// <summary>Gets whether a second call does no harm, so that one that was cut off may be made again.</summary>
    internal virtual bool IsIdempotent => false;

    protected ToolDoor Door { get; } = door;

    /// <summary>Gets what the arguments are held to, where that is not all of the schema.</summary>
    protected virtual JsonElement CheckedSchema => JsonSchema;

    protected abstract ValueTask<JsonElement> AnswerAsync(ToolArguments arguments, CancellationToken cancellationToken);

    protected sealed override async ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken)
    {
        try
        {
            return await AnswerAsync(ToolArguments.Read(arguments, CheckedSchema), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (!ToolFaults.PassesThrough(e, cancellationToken))
        {
            return ToolFaults.Answer(e);
        }
    }
}
