using System.Text.Json;

namespace Coppice.Agents;

/// <summary>Exceptions as answers: a model can act on what it is told, and not on a call that broke.</summary>
internal static class ToolFaults
{
    internal const string InvalidArguments = "invalid_arguments";
    internal const string TaskNotFound = "task_not_found";
    internal const string CurrentTaskUnavailable = "current_task_unavailable";
    internal const string ToolFailed = "tool_failed";

    /// <summary>Whether an exception is for the pipeline: the call was given up, or the manager is gone.</summary>
    internal static bool PassesThrough(Exception exception, CancellationToken call) =>
        exception is ObjectDisposedException || (exception is OperationCanceledException && call.IsCancellationRequested);

    internal static JsonElement Answer(Exception exception) => exception switch
    {
        InvalidArgumentsException invalid => JsonAnswer.Error(InvalidArguments, invalid.Message),
        CoppiceException fault => JsonAnswer.Error(fault.Code, fault.Message),
        ArgumentException refused => JsonAnswer.Error(InvalidArguments, WithoutParameter(refused)),

        // Whatever else it says was not written to be shown.
        _ => JsonAnswer.Error(ToolFailed, $"The tool failed unexpectedly ({exception.GetType().Name}). Trying again may help."),
    };

    internal static JsonElement NotFound(string taskId) => JsonAnswer.Error(
        TaskNotFound, $"There is no task '{SchemaCheck.Shown(taskId)}' here. list_tasks shows the tasks that there are.");

    /// <summary>A parameter's name means nothing to a model.</summary>
    internal static string WithoutParameter(ArgumentException exception)
    {
        var suffix = $" (Parameter '{exception.ParamName}')";
        return exception.Message.EndsWith(suffix, StringComparison.Ordinal) ? exception.Message[..^suffix.Length] : exception.Message;
    }
}
