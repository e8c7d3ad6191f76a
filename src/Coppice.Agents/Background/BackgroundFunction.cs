using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Coppice.Agents;

/// <summary>A function whose calls become tasks.</summary>
internal sealed class BackgroundFunction : DelegatingAIFunction
{
    private const string About =
        " Runs in the background: returns at once with a task_id while the work goes on by itself. Go on with something else and do not ask for it again and again; "
        + "you are told when it has ended.";

    private const string AboutChoice =
        " Can run in the background (run_in_background): then it returns at once with a task_id while the work goes on by itself, and you are told when it has ended.";

    private readonly ThreadScope? _thread;
    private readonly BackgroundFunctionOptions _options;

    internal BackgroundFunction(AIFunction function, ThreadScope? thread, BackgroundFunctionOptions options)
        : base(function)
    {
        if (function.GetService<BackgroundFunction>() is not null)
        {
            throw new ArgumentException($"The function '{function.Name}' runs in the background already.", nameof(function));
        }

        _thread = thread;
        _options = options.CloneChecked();
        _options.Type ??= function.Name;
        JsonSchema = BackgroundSchema.Extend(function, _options);
        Description = (function.Description + (IsChoice ? AboutChoice : About)).TrimStart();
    }

    public override string Description { get; }

    public override JsonElement JsonSchema { get; }

    /// <summary>Gets the schema of the receipt; none where the answer may as well be the function's own.</summary>
    public override JsonElement? ReturnJsonSchema => IsChoice ? null : BackgroundSchema.Receipt;

    private bool IsChoice => _options.Mode == BackgroundMode.ModelDecides;

    protected override async ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken)
    {
        string? name;
        AIFunctionArguments own;
        try
        {
            var isBackground = !IsChoice || IsWanted(arguments);
            name = NameOf(arguments);
            own = ArgumentCopy.Of(arguments, isBackground, IsChoice, _options.AllowTaskName);
            if (!isBackground)
            {
                return await InnerFunction.InvokeAsync(own, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (InvalidArgumentsException e)
        {
            return Failed(ToolFaults.InvalidArguments, e.Message);
        }

        return (_thread ?? ThreadScope.Current ?? ThreadOfAgent()) is { } thread
            ? await SpawnAsync(thread, new BackgroundCall(InnerFunction, own, thread), name, cancellationToken).ConfigureAwait(false)
            : Failed(
                "thread_unavailable",
                "The call is made for no thread, so nobody would own the task. Call it through a chat client with background tasks or from the body of an "
                + "agent task, or name manager and thread in InBackground.");
    }

    private static ThreadScope? ThreadOfAgent() =>
        TaskContext.Current.AsAgent() is { } agent ? new ThreadScope(agent.Manager, agent.ThreadId) : null;

    private async ValueTask<object?> SpawnAsync(ThreadScope thread, BackgroundCall call, string? name, CancellationToken cancellationToken)
    {
        var task = new SpawnOptions { Type = _options.Type, Name = name, Notify = _options.Notify, Blocking = _options.Blocking };
        try
        {
            var taskId = await thread.Manager.SpawnAsync(thread.ThreadId, call.RunAsync, task, cancellationToken).ConfigureAwait(false);
            return JsonAnswer.Write(taskId, static (writer, taskId) =>
            {
                writer.WriteString("task_id", taskId);
                writer.WriteString("status", "running");
            });
        }
        catch (CoppiceException e)
        {
            return Failed(e.Code, e.Message);
        }
    }

    private bool IsWanted(AIFunctionArguments arguments) =>
        ToolArguments.ReadOne(arguments, BackgroundSchema.RunInBackground, BackgroundSchema.RunInBackgroundProperty)?.GetBoolean()
        ?? _options.RunInBackgroundByDefault;

    private string? NameOf(AIFunctionArguments arguments) => _options.AllowTaskName
        ? ToolArguments.ReadOne(arguments, BackgroundSchema.TaskName, BackgroundSchema.TaskNameProperty)?.GetString()
        : null;

    private static JsonElement Failed(string code, string message) => JsonAnswer.Write((code, message), static (writer, failure) =>
    {
        writer.WriteString("status", "failed");
        writer.WriteString("error", failure.code);
        writer.WriteString("message", failure.message);
    });
}
