using Microsoft.Extensions.AI;

namespace Coppice.Agents;

/// <summary>A function that says of itself that it may be called again.</summary>
internal sealed class IdempotentFunction : DelegatingAIFunction
{
    internal IdempotentFunction(AIFunction function)
        : base(function) => AdditionalProperties = new Dictionary<string, object?>(function.AdditionalProperties)
        {
            [IdempotentFunctionExtensions.IdempotentKey] = true,
        };

    public override IReadOnlyDictionary<string, object?> AdditionalProperties { get; }
}
