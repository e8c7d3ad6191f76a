using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Extensions.AI;

namespace Coppice.Workloads;

/// <summary>Counts what a model is sent, and knows what it was told.</summary>
internal sealed partial class ModelTally
{
    private readonly HashSet<string> _told = new(StringComparer.Ordinal);
    private readonly HashSet<string> _results = new(StringComparer.Ordinal);

    /// <summary>Gets the calls after the first, which is the one that asks for the tasks.</summary>
    internal int Calls { get; private set; }

    /// <summary>Gets the calls, after the first, that brought the model no end of a task and no result of a function.</summary>
    internal int IdleCalls { get; private set; }

    /// <summary>Gets the calls that brought the model ends of tasks.</summary>
    internal int MailCalls { get; private set; }

    /// <summary>Gets the characters of all messages of the calls after the first.</summary>
    internal long Characters { get; private set; }

    /// <summary>Gets the tasks of whose end the model was told in a call that it answered.</summary>
    internal IReadOnlySet<string> Told => _told;

    /// <summary>The model has answered a call.</summary>
    /// <param name="messages">What it was sent.</param>
    /// <param name="isFirst">Whether it was the first of a turn: the user has asked something.</param>
    internal void Answered(IReadOnlyList<ChatMessage> messages, bool isFirst)
    {
        var ends = EndsIn(messages).Where(_told.Add).ToList();
        var results = messages.SelectMany(message => message.Contents).OfType<FunctionResultContent>()
            .Where(result => _results.Add(result.CallId)).ToList();
        if (isFirst)
        {
            return;
        }

        Calls++;
        Characters += messages.Sum(CharactersOf);
        MailCalls += ends.Count > 0 ? 1 : 0;
        IdleCalls += ends.Count + results.Count == 0 ? 1 : 0;
    }

    /// <summary>The tasks of whose end messages tell.</summary>
    internal static IEnumerable<string> EndsIn(IEnumerable<ChatMessage> messages) =>
        from message in messages
        where message.Role == ChatRole.User
        from Match end in End().Matches(message.Text)
        select end.Groups["task"].Value;

    private static long CharactersOf(ChatMessage message) => message.Contents.Sum(content => (long)(content switch
    {
        TextContent text => text.Text.Length,
        FunctionCallContent call => call.Name.Length + (call.Arguments ?? new Dictionary<string, object?>())
            .Sum(each => each.Key.Length + Convert.ToString(each.Value, CultureInfo.InvariantCulture)!.Length),
        FunctionResultContent result => result.Result?.ToString()?.Length ?? 0,
        _ => 0,
    }));

    [GeneratedRegex("""<background-task-event kind="(?:completed|failed|cancelled)" task_id="(?<task>[^"]+)">""")]
    private static partial Regex End();
}
