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
        foreach (var content in messages.SelectMany(message => message.Contents))
        {
            switch (content)
            {
                case FunctionCallContent call:
                    open[call.CallId] = call;
                    break;
                case FunctionResultContent result:
                    open.Remove(result.CallId);
                    break;
            }
        }

        return [.. open.Values];
    }

    /// <summary>Makes the calls, and answers each of them whatever becomes of it.</summary>
    /// <exception cref="OperationCanceledException">The run was cancelled from outside.</exception>
    internal async ValueTask<ChatMessage> CallAsync(IReadOnlyList<FunctionCallContent> calls, CancellationToken cancellationToken)
    {
        var results = calls.Count == 1
            ? [await CallAsync(calls[0], cancellationToken).ConfigureAwait(false)]
            : await Task.WhenAll(calls.Select(call => CallAsync(call, cancellationToken))).ConfigureAwait(false);
        foreach (var call in calls)
        {
            // A function-calling client further up must not make it again.
            call.InformationalOnly = true;
        }

        return new ChatMessage(ChatRole.Tool, [.. results]);
    }

    private async Task<AIContent> CallAsync(FunctionCallContent call, CancellationToken cancellationToken)
    {
        using var scope = run.BeginToolCall(call.CallId);
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
            return new FunctionResultContent(call.CallId, "Error: the run was cancelled.");
        }
        catch (Exception e)
        {
            var text = includeErrorDetails ? $"Error: the function failed: {SafeText.Cut(e.Message, 2048)}" : "Error: the function failed.";
            return new FunctionResultContent(call.CallId, text) { Exception = e };
        }
    }

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
