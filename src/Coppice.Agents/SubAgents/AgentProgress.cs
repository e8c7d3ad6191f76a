using Microsoft.Extensions.AI;

namespace Coppice.Agents;

/// <summary>How far a task has come with its agent's conversation. All of it can be told from what is kept.</summary>
/// <param name="Before">What was said before the turn that the task is in: sendable to any model.</param>
/// <param name="Said">What was said in that turn; the calls of its end may have no results yet.</param>
/// <param name="Entries">How many entries the conversation has.</param>
/// <param name="HasBegun">Whether the task's own prompt is in it.</param>
/// <param name="Corrections">How often the model was told what is wrong with its answer.</param>
internal sealed record AgentProgress(List<ChatMessage> Before, IReadOnlyList<ChatMessage> Said, int Entries, bool HasBegun, int Corrections)
{
    internal static async ValueTask<AgentProgress> ReadAsync(AgentTaskContext context)
    {
        var (messages, entries) = await AgentConversation.ReadAsync(context.Manager, context.ThreadId, context.CancellationToken).ConfigureAwait(false);
        var prompt = messages.FindIndex(message => message.MessageId == PromptId(context.TaskId));
        if (prompt < 0)
        {
            return new AgentProgress(AgentConversation.WithoutOpenCalls(messages), [], entries, false, 0);
        }

        var turn = messages.FindLastIndex(message => message.MessageId is { } id && IsTurn(id, context.TaskId));
        return new AgentProgress(
            AgentConversation.WithoutOpenCalls(messages[..(turn + 1)]),
            messages[(turn + 1)..],
            entries,
            true,
            messages.Skip(prompt + 1).Count(message => message.MessageId is { } id && IsTurn(id, context.TaskId)));
    }

    internal static ChatMessage Prompt(string taskId, string text) => new(ChatRole.User, text) { MessageId = PromptId(taskId) };

    internal static ChatMessage Correction(string taskId, int number, string fault) => new(
        ChatRole.User, $"Your answer is not a JSON value of the schema that was asked for: {fault} Answer again, with the JSON alone.")
    {
        MessageId = $"{taskId}-correction-{number}",
    };

    private static string PromptId(string taskId) => $"{taskId}-prompt";

    private static bool IsTurn(string messageId, string taskId) =>
        messageId == PromptId(taskId) || messageId.StartsWith($"{taskId}-correction-", StringComparison.Ordinal);
}
