using System.Globalization;
using System.Text.Json;

namespace Coppice.Agents;

/// <summary>Parks until tasks of the thread have ended, or time is over.</summary>
internal sealed class WaitForTasksTool(ToolDoor door)
    : TaskTool(BackgroundTaskTools.WaitForTasks, About, CreateSchema(door.Options.MaxWait), door)
{
    /// <summary>How many tasks may be named, and how many stand in an answer.</summary>
    private const int MaxTasks = 200;

    /// <summary>How many results of the greatest length an answer holds; what does not fit is told of and left to get_task.</summary>
    private const int FullResults = 4;

    private const double DefaultSeconds = 60;

    private const string About =
        "Waits until background tasks have ended and returns their results. Use it only when you can do nothing else before you have them; otherwise go on, "
        + "because you are told by itself when a task has ended. Without task_ids it waits for all tasks that are live now; mode any returns at the first "
        + "that has ended, mode all (the default) when all have, count when that many have. Returns the ended tasks with their results, those still live, and "
        + "timed_out: true when the time was over first, after which the tasks still go on.";

    internal override bool IsIdempotent => true;

    protected override async ValueTask<JsonElement> AnswerAsync(ToolArguments arguments, CancellationToken cancellationToken)
    {
        if (arguments.Has("mode") && arguments.Has("count"))
        {
            throw new InvalidArgumentsException("Give either 'mode' or 'count'.");
        }

        var named = arguments.Texts("task_ids")?.Distinct(StringComparer.Ordinal).ToList();
        if (arguments.Whole("count") is { } wanted && named is not null && wanted > named.Count)
        {
            throw new InvalidArgumentsException($"'count' is {wanted}; it must be from 1 to the number of tasks, which is {named.Count}.");
        }

        var timeout = TimeSpan.FromSeconds(arguments.Number("timeout_seconds") ?? Math.Min(DefaultSeconds, Door.Options.MaxWait.TotalSeconds));
        var wait = new TaskWait(Door, named, total => arguments.Whole("count") is { } count ? Math.Min(count, total)
            : arguments.Text("mode") == "any" ? Math.Min(1, total) : total);
        var timedOut = !await wait.RunAsync(timeout, cancellationToken).ConfigureAwait(false);
        return wait.Missing is { } missing ? ToolFaults.NotFound(missing) : Answer(wait, timedOut);
    }

    private JsonElement Answer(TaskWait wait, bool timedOut) =>
        JsonAnswer.Write((wait, timedOut, Door.Now, Page: Door.Options.ResultPageChars), static (writer, answer) =>
        {
            var budget = answer.Page * FullResults;
            writer.WriteBoolean("timed_out", answer.timedOut);
            writer.WriteStartArray("ended");
            foreach (var task in answer.wait.Ended.Take(MaxTasks))
            {
                writer.WriteStartObject();
                TaskRendering.Write(writer, task, answer.Now, hasError: false);
                WriteOutput(writer, task, answer.Page, ref budget);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteStartArray("live");
            foreach (var task in answer.wait.Live.Take(MaxTasks))
            {
                writer.WriteStartObject();
                TaskRendering.Write(writer, task, answer.Now);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            WriteRest(writer, "more_ended", answer.wait.Ended.Count);
            WriteRest(writer, "more_live", answer.wait.Live.Count);
        });

    private static void WriteOutput(Utf8JsonWriter writer, TaskSnapshot task, int page, ref int budget)
    {
        if (TaskOutput.Of(task) is not { } output || budget <= 0)
        {
            return;
        }

        var limit = Math.Min(page, budget);
        budget -= Math.Min(limit, output.Text.Length);
        if (output.FitsIn(limit))
        {
            output.WriteWhole(writer);
        }
        else
        {
            output.WritePage(writer, 0, limit);
        }
    }

    private static void WriteRest(Utf8JsonWriter writer, string property, int count)
    {
        if (count > MaxTasks)
        {
            writer.WriteNumber(property, count - MaxTasks);
        }
    }

    private static JsonElement CreateSchema(TimeSpan maxWait)
    {
        var seconds = maxWait.TotalSeconds.ToString(CultureInfo.InvariantCulture);
        var usual = Math.Min(DefaultSeconds, maxWait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        return JsonElement.Parse(
            $$$"""
            {"type":"object","properties":{
              "task_ids":{"type":"array","items":{"type":"string","minLength":1,"maxLength":4096},"minItems":1,"maxItems":{{{MaxTasks}}},
                "description":"Which tasks to wait for. All that are live when the call begins by default."},
              "mode":{"type":"string","enum":["any","all"],"description":"Whether the first end is enough. all by default."},
              "count":{"type":"integer","minimum":1,"maximum":{{{int.MaxValue}}},"description":"How many tasks have to end, instead of mode."},
              "timeout_seconds":{"type":"number","minimum":0,"maximum":{{{seconds}}},"description":"How long to wait. {{{usual}}} by default."}},
             "additionalProperties":false}
            """);
    }
}
