using System.Text.Json;

namespace Coppice.Agents;

/// <summary>Shows the messages of the thread that failed, sends them again, or forgets them. Source: awaken-runtime 0.4.0, recover_failed_messages.</summary>
internal sealed class RecoverFailedMessagesTool(ToolDoor door) : TaskTool(BackgroundTaskTools.RecoverFailedMessages, About, Schema, door)
{
    private const int MostListed = 50;

    private const string About =
        "Shows the messages that you sent and that reached nobody, with the reason: the agent had ended, nobody read it in time, or it could not be forwarded. "
        + "'replay' sends them again, 'clear' forgets them; both take all of them unless numbers says which. Use it when you were told of a failure or miss an answer.";

    private static readonly JsonElement Schema = JsonElement.Parse(
        """
        {"type":"object","properties":{
         "action":{"type":"string","enum":["list","replay","clear"],"description":"What to do; list when it is left out."},
         "numbers":{"type":"array","items":{"type":"string","minLength":1,"maxLength":20},"minItems":1,"maxItems":1000,
          "description":"Which messages, by the number that the list shows; all when it is left out."}},
         "required":[],"additionalProperties":false}
        """);

    protected override async ValueTask<JsonElement> AnswerAsync(ToolArguments arguments, CancellationToken cancellationToken)
    {
        long[]? numbers = arguments.Texts("numbers") is { } given ? [.. given.Select(NumberOf)] : null;
        switch (arguments.Text("action"))
        {
            case "replay":
                var replayed = await Door.Manager.ReplayFailedMessagesAsync(Door.ThreadId, numbers, cancellationToken).ConfigureAwait(false);
                return JsonAnswer.Write(replayed, static (writer, result) =>
                {
                    writer.WriteString("action", "replay");
                    writer.WriteNumber("count", result.Replayed);
                    writer.WriteNumber("left", result.Left);
                });
            case "clear":
                var cleared = await Door.Manager.ClearFailedMessagesAsync(Door.ThreadId, numbers, cancellationToken).ConfigureAwait(false);
                return JsonAnswer.Write(cleared, static (writer, count) =>
                {
                    writer.WriteString("action", "clear");
                    writer.WriteNumber("count", count);
                });
            default:
                var failed = await Door.Manager.ListFailedMessagesAsync(Door.ThreadId, cancellationToken).ConfigureAwait(false);
                return List([.. failed.Where(message => numbers is null || numbers.Contains(message.Number))]);
        }
    }

    private static long NumberOf(string text) =>
        long.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new InvalidArgumentsException($"'numbers' has '{SchemaCheck.Shown(text)}'; the list shows the number of each message.");

    private static JsonElement List(IReadOnlyCollection<FailedMessage> failed) => JsonAnswer.Write(failed, static (writer, failed) =>
    {
        writer.WriteString("action", "list");
        writer.WriteNumber("count", failed.Count);
        writer.WriteStartArray("messages");
        foreach (var message in failed.Take(MostListed))
        {
            Write(writer, message);
        }

        writer.WriteEndArray();
    });

    private static void Write(Utf8JsonWriter writer, FailedMessage message)
    {
        writer.WriteStartObject();
        writer.WriteString("number", message.Number.ToString(System.Globalization.CultureInfo.InvariantCulture));
        writer.WriteString("message_id", message.MessageId);
        writer.WriteString("to_thread_id", message.ToThreadId);
        if (message.ToAgentId is { } agent)
        {
            writer.WriteString("to_agent_id", agent);
        }

        writer.WriteString("content", SafeText.Cut(message.Content, TaskRendering.ListedTextChars));
        writer.WriteString("error", SafeText.Cut(message.Reason, TaskRendering.ListedTextChars));
        writer.WriteNumber("attempts", message.Attempts);
        writer.WriteNumber("failed_at_ms", message.FailedAt.ToUnixTimeMilliseconds());
        writer.WriteEndObject();
    }
}
