using Microsoft.Extensions.AI;

namespace Coppice.Agents;

/// <summary>Tells whether a pipeline has a client that calls functions itself.</summary>
internal static class FunctionInvokers
{
    // Microsoft's own, of a package that this library does not need and the application may have.
    private static readonly Type? Known =
        Type.GetType("Microsoft.Extensions.AI.FunctionInvokingChatClient, Microsoft.Extensions.AI", throwOnError: false);

    internal static bool IsIn(IChatClient client) => Known is not null && client.GetService(Known) is not null;
}
