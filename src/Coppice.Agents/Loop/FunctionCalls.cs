using Microsoft.Extensions.AI;

namespace Coppice.Agents;

/// <summary>Calls the functions that a model asks for, each in the scope of its own call, those of one answer side by side.</summary>
internal sealed class FunctionCalls(AgentRun run, IEnumerable<AITool>? tools, IServiceProvider? services, bool includeErrorDetails)
{
    private readonly Dictionary<string, AITool> _tools = ByName(tools);

    /// <summary>Whether all that the model asks for can be called here.</summary>
    internal bool CanCallAll(IEnumerable<FunctionCallContent> calls) =>
        calls.All(call => !_tools.TryGetValue(call.Name, out var tool) || tool is AIFunction);

    /// <summary>Puts a request for approval in the place of each call that needs one.</summary>
    /// <returns>Whether there was such a call.</returns>
    internal bool RequestApprovals(IList<AIContent> contents)
    {
        var found = false;
        for (var i = 0; i < contents.Count; i++)
        {
            if (contents[i] is FunctionCallContent { InformationalOnly: false } call
                && _tools.GetValueOrDefault(call.Name) is AIFunction function && function.GetService<ApprovalRequiredAIFunction>() is not null)
            {
                contents[i] = new ToolApprovalRequestContent(call.CallId, call);
                found = true;
            }
        }

        return found;
    }

    /// <summary>The calls in an answer that nobody has made yet.</summary>
    internal static List<FunctionCallContent> Open(IEnumerable<ChatMessage> messages) => [.. Unanswered(messages).Where(call => !call.InformationalOnly)];

    /// <summary>The calls in a conversation that have no answer, whoever was to make them. Some models use a call's id again once it was answered.</summary>
    internal static List<FunctionCallContent> Unanswered(IEnumerable<ChatMessage> messages)
    {
        var open = new OrderedDictionary<string, FunctionCallContent>(StringComparer.Ordinal);
        var lost = new List<FunctionCallContent>();
        foreach (var content in messages.SelectMany(message => message.Contents))
        {
            switch (content)
            {
                case FunctionCallContent call:
                    if (open.Remove(call.CallId, out var before))
                    {
                        lost.Add(before);
                    }

                    open.Add(call.CallId, call);
                    break;
                case FunctionResultContent result:
                    open.Remove(result.CallId);
                    break;
            }
        }

        return [.. lost, .. open.Values];
    }

    /// <summary>Whether a call may be made a second time.</summary>
    internal bool IsIdempotent(FunctionCallContent call) => !_tools.TryGetValue(call.Name, out var tool) || tool.IsIdempotent();

    /// <summary>A function-calling client further up must not make the calls again.</summary>
    internal static void MarkAsMade(IEnumerable<FunctionCallContent> calls)
    {
        foreach (var call in calls)
        {
            call.InformationalOnly = true;
        }
    }

    /// <summary>What a model is told of a call that was cut off by the end of its process.</summary>
    internal static FunctionResultContent Interrupted(FunctionCallContent call) =>
        new(call.CallId, "Error: the call was interrupted before it returned. It may have had its effect, or not.");

    /// <summary>What a model is told of a call that ended with its run.</summary>
    internal static FunctionResultContent Cancelled(FunctionCallContent call) => new(call.CallId, "Error: the run was cancelled.");

    /// <summary>Makes the calls, and answers each of them whatever becomes of it.</summary>
    internal async ValueTask<ChatMessage> CallAsync(IReadOnlyList<FunctionCallContent> calls, CancellationToken cancellationToken)
    {
        var results = await Task.WhenAll(calls.Select(call => CallAsync(call, cancellationToken))).ConfigureAwait(false);
        MarkAsMade(calls);
        return new ChatMessage(ChatRole.Tool, [.. results]);
    }

    /// <summary>Makes a call.</summary>
    /// <param name="call">The call.</param>
    /// <param name="keys">What the tasks that it spawns are known by.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    /// <returns>What became of it; null when it ended because it was cancelled.</returns>
    internal async Task<AIContent?> TryCallAsync(FunctionCallContent call, SpawnKeys? keys, CancellationToken cancellationToken)
    {
        using var scope = run.BeginCall(call.CallId, keys);
        if (_tools.GetValueOrDefault(call.Name) is not AIFunction function)
        {
            return new FunctionResultContent(call.CallId, $"Error: there is no function named \"{call.Name}\". Call one of those that are offered.");
        }

        if (call.Exception is { } unread)
        {
            return new FunctionResultContent(call.CallId, "Error: the arguments are not valid JSON. Send them again.") { Exception = unread };
        }

        try
        {
            var arguments = new AIFunctionArguments(call.Arguments) { Services = services };
            return new FunctionResultContent(call.CallId, await function.InvokeAsync(arguments, cancellationToken).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The run ends; whoever cancelled it is told at the end of the turn, not by one call among several.
            return null;
        }
        catch (Exception e)
        {
            var text = includeErrorDetails ? $"Error: the function failed: {SafeText.Cut(e.Message, 2048)}" : "Error: the function failed.";
            return new FunctionResultContent(call.CallId, text) { Exception = e };
        }
    }

    private async Task<AIContent> CallAsync(FunctionCallContent call, CancellationToken cancellationToken) =>
        await TryCallAsync(call, null, cancellationToken).ConfigureAwait(false) ?? Cancelled(call);

    private static Dictionary<string, AITool> ByName(IEnumerable<AITool>? tools)
    {
        var byName = new Dictionary<string, AITool>(StringComparer.Ordinal);
        foreach (var tool in tools ?? [])
        {
            byName.TryAdd(tool.Name, tool);
        }

        return byName;
    }
}
