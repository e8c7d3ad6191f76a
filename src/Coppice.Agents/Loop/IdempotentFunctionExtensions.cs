using System.Text.Json;
using Coppice.Agents;
using Microsoft.Extensions.AI;

namespace Coppice;

/// <summary>Says of functions that they may be called again.</summary>
public static class IdempotentFunctionExtensions
{
    /// <summary>The key among the additional properties of a tool under which <see langword="true"/> says that it may be called again.</summary>
    public const string IdempotentKey = "coppice.idempotent";

    /// <summary>
    /// The same function as one of which it is known that calling it a second time with the same arguments does no harm: it only reads, say. When an
    /// agent goes on after a crash, it calls such a function again where it is not known whether the call was made; of every other it tells the
    /// model that the call was interrupted.
    /// </summary>
    /// <param name="function">The function.</param>
    /// <exception cref="ArgumentNullException"><paramref name="function"/> is <see langword="null"/>.</exception>
    public static AIFunction Idempotent(this AIFunction function)
    {
        ArgumentNullException.ThrowIfNull(function);
        return function.IsIdempotent() ? function : new IdempotentFunction(function);
    }

    internal static bool IsIdempotent(this AITool tool) =>
        tool.AdditionalProperties.TryGetValue(IdempotentKey, out var value) && value is true or JsonElement { ValueKind: JsonValueKind.True };
}
