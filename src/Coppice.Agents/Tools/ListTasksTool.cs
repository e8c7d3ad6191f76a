using System.Text.Json;

namespace Coppice.Agents;

/// <summary>Lists the tasks of the thread, oldest first, page by page.</summary>
internal sealed class ListTasksTool(ToolDoor door) : TaskTool(BackgroundTaskTools.ListTasks, About, Schema, door)
{
    private const int DefaultLimit = 50;
    private const int MaxLimit = 200;

    private const string About =
        "Lists your background tasks, oldest first: id, name, status, how old they are and how large their results are. Use it when you have lost track of what is "
        + "running or what has ended. Do not call it again and again: work goes on by itself and you are told when a task has ended. "
        + "If there are more tasks, next_cursor is returned; pass it as cursor to read on. get_task reads a result.";

    private static readonly JsonElement Schema = JsonElement.Parse(
        $$$"""
        {"type":"object","properties":{
          "status":{"type":"string","enum":["live","all","pending","running","input_required","completed","failed","cancelled"],
            "description":"Which tasks. live, the default, is those that have not ended."},
          "name":{"type":"string","minLength":1,"maxLength":256,"description":"Only tasks of exactly this name."},
          "limit":{"type":"integer","minimum":1,"maximum":{{{MaxLimit}}},"description":"How many tasks to return at the most. {{{DefaultLimit}}} by default."},
          "cursor":{"type":"string","minLength":1,"maxLength":4200,"description":"next_cursor of the answer before."}},
         "additionalProperties":false}
        """);

    internal override bool IsIdempotent => true;

    protected override async ValueTask<JsonElement> AnswerAsync(ToolArguments arguments, CancellationToken cancellationToken)
    {
        var query = new TaskQuery { OwnerThreadId = Door.ThreadId, Name = arguments.Text("name"), States = StatesOf(arguments.Text("status")) };
        var after = ListCursor.Parse(arguments.Text("cursor"));
        var limit = arguments.Whole("limit") ?? DefaultLimit;
        var tasks = await Door.Manager.ListAsync(query, after, limit + 1, cancellationToken).ConfigureAwait(false);
        return JsonAnswer.Write((tasks, limit, Door.Now), static (writer, page) =>
        {
            writer.WriteStartArray("tasks");
            foreach (var task in page.tasks.Take(page.limit))
            {
                writer.WriteStartObject();
                TaskRendering.Write(writer, task, page.Now);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            if (page.tasks.Count > page.limit)
            {
                writer.WriteString("next_cursor", ListCursor.Format(page.tasks[page.limit - 1]));
            }
        });
    }

    private static IReadOnlyCollection<TaskState>? StatesOf(string? status) => status switch
    {
        null or "live" => LiveStates.All,
        "all" => null,
        _ => TaskStateExtensions.TryParseWireName(status, out var state) ? [state] : LiveStates.All,
    };
}
