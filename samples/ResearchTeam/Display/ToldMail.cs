using System.Text.RegularExpressions;
using Microsoft.Extensions.AI;

namespace Coppice.Samples.ResearchTeam;

/// <summary>A piece of mail as a model reads it among its messages: between two tags, as JSON in which no tag can stand.</summary>
/// <param name="Kind"><c>completed</c>, <c>failed</c>, <c>cancelled</c>, <c>message</c> or <c>custom</c>.</param>
/// <param name="TaskId">The task it is about; empty where it is about none.</param>
/// <param name="Json">The event.</param>
internal sealed partial record ToldMail(string Kind, string TaskId, string Json)
{
    internal bool IsEnd => Kind is "completed" or "failed" or "cancelled";

    /// <summary>Gets what a task has ended with.</summary>
    internal string Text => MailEventJson.Deserialize(Json) switch
    {
        TaskCompleted completed => completed.Result?.ToString() ?? "",
        TaskFailed failed => failed.Error,
        _ => "",
    };

    /// <summary>Gets what somebody has written; <see langword="null"/> when it is no message.</summary>
    internal string? Message => MailEventJson.Deserialize(Json) switch
    {
        ThreadMessage message => message.Content,
        var mail when AgentMessage.TryRead(mail, out _, out var content) => content,
        _ => null,
    };

    /// <summary>Gets all the mail that stands in a conversation.</summary>
    internal static IEnumerable<ToldMail> In(IEnumerable<ChatMessage> messages) =>
        from message in messages
        where message.Role == ChatRole.User
        from Match mail in Tag().Matches(message.Text)
        select new ToldMail(mail.Groups["kind"].Value, mail.Groups["task"].Value, mail.Groups["json"].Value);

    [GeneratedRegex("""<background-task-event kind="(?<kind>[a-z]+)"(?: task_id="(?<task>[^"]*)")?>\n(?<json>.*)\n</background-task-event>""")]
    private static partial Regex Tag();
}
