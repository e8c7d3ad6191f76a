using System.Text.Json;

namespace Coppice.Agents;

/// <summary>Cancels a task of the thread with all below it, and tells what really became of them.</summary>
internal sealed class StopTaskTool(ToolDoor door) : TaskTool(BackgroundTaskTools.StopTask, About, Schema, door)
{
    private const int DefaultGraceSeconds = 5;
    private const int MostTasks = 50;

    private const string About =
        "Stops a background task of yours together with every task below it, waits a moment, and tells what really became of each: stopped, finished first (its "
        + "result stands), or still running because it ignores the request. Use it when you have to know that work has ended; cancel_task does not wait.";

    private static readonly JsonElement Schema = JsonElement.Parse(
        """
        {"type":"object","properties":{
         "task":{"type":"string","minLength":1,"maxLength":256,"description":"The task's name or task_id."},
         "grace_seconds":{"type":"integer","minimum":0,"maximum":60,"description":"How long to wait at the most; 5 when it is left out."}},
         "required":["task"],"additionalProperties":false}
        """);

    internal override bool IsIdempotent => true;

    protected override async ValueTask<JsonElement> AnswerAsync(ToolArguments arguments, CancellationToken cancellationToken)
    {
        var name = arguments.Text("task")!;
        if (await Door.FindByIdOrNameAsync(name, cancellationToken).ConfigureAwait(false) is not { } task)
        {
            return ToolFaults.NotFound(name);
        }

        // Whoever stops itself would wait for its own end.
        var grace = task.TaskId == Door.CurrentTask?.TaskId
            ? TimeSpan.Zero
            : TimeSpan.FromSeconds(arguments.Whole("grace_seconds") ?? DefaultGraceSeconds);
        var report = await Door.Manager.StopTreeAsync(task.TaskId, grace, cancellationToken).ConfigureAwait(false);
        return JsonAnswer.Write((task.TaskId, Report: report), static (writer, stop) =>
        {
            writer.WriteString("status", stop.Report.Tasks.Count > 0 ? "accepted" : "failed");
            writer.WriteString("root_task_id", stop.TaskId);
            writer.WriteNumber("cancelled_count", stop.Report.Tasks.Count);
            writer.WriteNumber("stopped", stop.Report.Stopped);
            writer.WriteNumber("finished_first", stop.Report.FinishedFirst);
            writer.WriteNumber("still_running", stop.Report.StillRunning);
            WriteTasks(writer, stop.Report);
        });
    }

    private static void WriteTasks(Utf8JsonWriter writer, StopReport report)
    {
        if (report.Tasks.Count == 0)
        {
            writer.WriteString("error", ToolFaults.TaskNotFound);
            return;
        }

        writer.WriteStartArray("tasks");
        foreach (var task in report.Tasks.Take(MostTasks))
        {
            writer.WriteStartObject();
            writer.WriteString("task_id", task.TaskId);
            writer.WriteString("outcome", task.Outcome switch
            {
                StopOutcome.Stopped => "stopped",
                StopOutcome.FinishedFirst => "finished_first",
                _ => "still_running",
            });
            writer.WriteString("status", task.State.ToWireName());
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }
}
