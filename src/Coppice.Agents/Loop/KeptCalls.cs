using Microsoft.Extensions.AI;

namespace Coppice.Agents;

/// <summary>
/// Makes the calls of one answer and keeps each result as soon as it is there: what was paid for is not lost when another call is cut off, and
/// what may have had its effect is not done twice.
/// </summary>
internal sealed class KeptCalls(FunctionCalls functions, ITurnKeeper keeper)
{
    /// <summary>Makes the calls that have no result yet.</summary>
    /// <param name="answer">Which answer of the turn asks for them.</param>
    /// <param name="calls">The calls.</param>
    /// <param name="cancellationToken">Cancels them.</param>
    /// <returns>The result of each, and those among them that are not kept, because they say no more than that the run was cancelled.</returns>
    internal async ValueTask<(ChatMessage Results, IReadOnlyList<AIContent> NotKept)> CallAsync(
        string answer, IReadOnlyList<FunctionCallContent> calls, CancellationToken cancellationToken)
    {
        var mayCallAll = calls.All(functions.IsIdempotent) || await keeper.TryBeginCallsAsync(answer).ConfigureAwait(false);
        var results = await Task.WhenAll(calls.Select(call => mayCallAll || functions.IsIdempotent(call)
            ? CallAsync(answer, call, cancellationToken)
            : KeepAsync(FunctionCalls.Interrupted(call)))).ConfigureAwait(false);
        FunctionCalls.MarkAsMade(calls);
        return (
            new ChatMessage(ChatRole.Tool, [.. results.Select(static each => each.Result)]),
            [.. results.Where(static each => !each.IsKept).Select(static each => each.Result)]);
    }

    private async Task<(AIContent Result, bool IsKept)> CallAsync(string answer, FunctionCallContent call, CancellationToken cancellationToken) =>
        await functions.TryCallAsync(call, keeper.KeysFor(answer, call.CallId), cancellationToken).ConfigureAwait(false) is { } result
            ? await KeepAsync(result).ConfigureAwait(false)
            : (FunctionCalls.Cancelled(call), false);

    private async Task<(AIContent Result, bool IsKept)> KeepAsync(AIContent result)
    {
        await keeper.KeepAsync([new ChatMessage(ChatRole.Tool, [result])], 0).ConfigureAwait(false);
        return (result, true);
    }
}
