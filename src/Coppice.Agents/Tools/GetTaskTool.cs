using System.Text.Json;

namespace Coppice.Agents;

/// <summary>Reads one task with what it left behind, page by page where that is long.</summary>
internal sealed class GetTaskTool(ToolDoor door) : TaskTool(BackgroundTaskTools.GetTask, About, Schema, door)
{
    private const string About =
        "Reads one of your background tasks: its status, and once it has ended its result or error. Use it to read a result that you need in full. "
        + "Give task_id, or the name of a task that is still live. Do not call it again and again to see whether a task has ended: you are told by itself, "
        + "and wait_for_tasks waits. A long result comes as result_page with a part of its text; read on with offset set to next_offset.";

    private static readonly JsonElement Schema = JsonElement.Parse(
        $$$"""
        {"type":"object","properties":{
          "task_id":{"type":"string","minLength":1,"maxLength":4096,"description":"The task's id, such as bg_7."},
          "name":{"type":"string","minLength":1,"maxLength":256,"description":"The name of a live task, instead of its id."},
          "offset":{"type":"integer","minimum":0,"maximum":{{{int.MaxValue}}},"description":"Where in a long result to begin, in characters. 0 by default."},
          "limit":{"type":"integer","minimum":1,"maximum":{{{BackgroundTaskToolOptions.LargestPage}}},"description":"How many characters of the result to return at the most."}},
         "additionalProperties":false}
        """);

    internal override bool IsIdempotent => true;

    protected override async ValueTask<JsonElement> AnswerAsync(ToolArguments arguments, CancellationToken cancellationToken)
    {
        if (arguments.Has("task_id") == arguments.Has("name"))
        {
            throw new InvalidArgumentsException("Give either 'task_id' or 'name'.");
        }

        var task = arguments.Text("task_id") is { } taskId
            ? await Door.FindAsync(taskId, cancellationToken).ConfigureAwait(false)
            : await Door.FindLiveByNameAsync(arguments.Text("name")!, cancellationToken).ConfigureAwait(false);
        if (task is null)
        {
            return ToolFaults.NotFound(arguments.Text("task_id") ?? arguments.Text("name")!);
        }

        var offset = arguments.Whole("offset") ?? 0;
        var limit = arguments.Whole("limit") ?? Door.Options.ResultPageChars;
        var output = TaskOutput.Of(task);
        return offset > (output?.Text.Length ?? 0)
            ? throw new InvalidArgumentsException($"'offset' is {offset}; there are {output?.Text.Length ?? 0} characters.")
            : JsonAnswer.Write((task, Door.Now, output, offset, limit), static (writer, found) =>
            {
                TaskRendering.Write(writer, found.task, found.Now, hasError: false);
                if (found.output is null)
                {
                    return;
                }

                if (found.offset == 0 && found.output.FitsIn(found.limit))
                {
                    found.output.WriteWhole(writer);
                }
                else
                {
                    found.output.WritePage(writer, found.offset, found.limit);
                }
            });
    }
}
