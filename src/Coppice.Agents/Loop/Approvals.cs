using Microsoft.Extensions.AI;

namespace Coppice.Agents;

/// <summary>Answers to requests for approval, as they come back with the conversation.</summary>
internal static class Approvals
{
    /// <summary>
    /// Takes requests and their answers out of a conversation. What was answered stands in it as the calls that they were, to be made or, where
    /// they were refused, answered.
    /// </summary>
    internal static (List<ChatMessage> Messages, List<FunctionCallContent> Approved, List<AIContent> Refused) Resolve(IEnumerable<ChatMessage> messages)
    {
        var list = messages.ToList();
        var answers = list.SelectMany(message => message.Contents).OfType<ToolApprovalResponseContent>()
            .Where(answer => answer.ToolCall is FunctionCallContent).ToList();
        if (answers.Count == 0)
        {
            return (list, [], []);
        }

        var done = list.SelectMany(message => message.Contents).OfType<FunctionResultContent>()
            .Select(result => result.CallId).ToHashSet(StringComparer.Ordinal);
        var kept = list.Select(Without).Where(message => message.Contents.Count > 0).ToList();
        var open = answers.Where(answer => !done.Contains(answer.ToolCall.CallId)).ToList();
        if (open.Count > 0)
        {
            kept.Add(new ChatMessage(ChatRole.Assistant, [.. open.Select(answer => answer.ToolCall)]));
        }

        return (kept,
            [.. open.Where(answer => answer.Approved).Select(answer => (FunctionCallContent)answer.ToolCall)],
            [.. open.Where(answer => !answer.Approved).Select(Refusal)]);
    }

    private static FunctionResultContent Refusal(ToolApprovalResponseContent answer) => new(
        answer.ToolCall.CallId, string.IsNullOrEmpty(answer.Reason) ? "The call was not approved." : $"The call was not approved: {answer.Reason}");

    private static ChatMessage Without(ChatMessage message)
    {
        if (!message.Contents.Any(IsApproval))
        {
            return message;
        }

        var copy = message.Clone();
        copy.Contents = [.. message.Contents.Where(content => !IsApproval(content))];
        return copy;
    }

    private static bool IsApproval(AIContent content) => content is ToolApprovalRequestContent or ToolApprovalResponseContent;
}
