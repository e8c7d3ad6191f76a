using System.Text.Json;

namespace Coppice.Agents;

/// <summary>Cancels a child of the current task or run, or the current task or run itself.</summary>
internal sealed class CancelTaskTool(ToolDoor door) : TaskTool(BackgroundTaskTools.CancelTask, About, Schema, door)
{
    private const string About =
        "Cancels a background task together with every task below it. Use it when work is no longer needed or went wrong. "
        + "'child' is a task that you started, by name or task_id; 'self' is the task or run that you are part of. "
        + "Cancelling is a request: a task may take a moment to stop, and you are told when it has ended. "
        + "Returns the status, the root task and how many live tasks were reached.";

    private static readonly JsonElement Schema = JsonElement.Parse(
        """
        {"type":"object","properties":{"target":{"description":"What to cancel.","oneOf":[
          {"type":"object","properties":{"relation":{"const":"self"}},"required":["relation"],"additionalProperties":false},
          {"type":"object","properties":{"relation":{"const":"child"},
            "name":{"type":"string","minLength":1,"maxLength":256,"description":"The child's name or task_id."}},
           "required":["relation","name"],"additionalProperties":false}]}},
         "required":["target"],"additionalProperties":false}
        """);

    internal override bool IsIdempotent => true;

    protected override ValueTask<JsonElement> AnswerAsync(ToolArguments arguments, CancellationToken cancellationToken)
    {
        var target = arguments.Object("target");
        var name = target.TryGetProperty("name", out var child) ? child.GetString() : null;
        return (Door.CurrentTask, Door.CurrentRun) switch
        {
            ({ } task, _) when name is null => CancelTreeAsync(task.TaskId, task.TaskId, cancellationToken),
            ({ } task, _) => CancelChildAsync(new TaskLineage { TaskId = task.TaskId }, name, cancellationToken),
            (null, { } run) when name is null => CancelRunAsync(run, cancellationToken),
            (null, { } run) => CancelChildAsync(new TaskLineage { RunId = run }, name, cancellationToken),
            _ => ValueTask.FromResult(JsonAnswer.Error(
                ToolFaults.CurrentTaskUnavailable, "You are part of no background task and no run, so there is nothing to cancel from here.")),
        };
    }

    private async ValueTask<JsonElement> CancelTreeAsync(string taskId, string asked, CancellationToken cancellationToken) =>
        Receipt(taskId, asked, await Door.Manager.CancelTreeAsync(taskId, cancellationToken).ConfigureAwait(false));

    private async ValueTask<JsonElement> CancelChildAsync(TaskLineage parent, string name, CancellationToken cancellationToken)
    {
        var childId = await Door.Manager.FindLiveChildAsync(parent, name, cancellationToken).ConfigureAwait(false);
        return childId is not null && await Door.FindAsync(childId, cancellationToken).ConfigureAwait(false) is not null
            ? await CancelTreeAsync(childId, name, cancellationToken).ConfigureAwait(false)
            : Receipt(name, name, 0);
    }

    private async ValueTask<JsonElement> CancelRunAsync(string runId, CancellationToken cancellationToken)
    {
        var run = ToolCallScope.Current?.Run;
        var reached = 0;
        try
        {
            reached = await Door.Manager.CancelRunAsync(runId, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            // The store is told first, so that no task is spawned in between. Where it cannot be told the run ends all the same.
            if (!cancellationToken.IsCancellationRequested && TryCancel(run))
            {
                reached++;
            }
        }

        return Receipt(runId, runId, reached);
    }

    private static bool TryCancel(CancellationTokenSource? run)
    {
        try
        {
            if (run is null)
            {
                return false;
            }

            // A source that is disposed takes a cancellation without a word, but gives no token.
            _ = run.Token;

            // The call itself may hang on this token, so it does not wait for the token's callbacks.
            _ = IgnoreAsync(run.CancelAsync());
            return true;
        }
        catch (ObjectDisposedException)
        {
            // The run has ended meanwhile.
            return false;
        }
    }

    private static async Task IgnoreAsync(Task callbacks) => await callbacks.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private static JsonElement Receipt(string root, string asked, int count) =>
        JsonAnswer.Write((Root: count > 0 ? root : asked, Count: count), static (writer, receipt) =>
        {
            writer.WriteString("status", receipt.Count > 0 ? "accepted" : "failed");
            writer.WriteString("root_task_id", receipt.Root);
            writer.WriteNumber("cancelled_count", receipt.Count);
            if (receipt.Count == 0)
            {
                writer.WriteString("error", ToolFaults.TaskNotFound);
            }
        });
}
