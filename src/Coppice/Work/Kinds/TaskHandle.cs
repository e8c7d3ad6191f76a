using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Coppice;

/// <summary>A task of a registered kind, and the way to its result.</summary>
/// <typeparam name="TResult">The type of the result.</typeparam>
public sealed class TaskHandle<TResult>
{
    private readonly BackgroundTaskManager _manager;
    private readonly JsonTypeInfo<TResult> _resultType;

    internal TaskHandle(BackgroundTaskManager manager, string id, JsonTypeInfo<TResult> resultType)
    {
        _manager = manager;
        _resultType = resultType;
        Id = id;
    }

    /// <summary>Gets the task's id.</summary>
    public string Id { get; }

    /// <summary>Gets whether the task was there already under its idempotency key, so that nothing was spawned.</summary>
    public bool WasKnown { get; internal init; }

    /// <summary>Waits until the task has ended, on whichever host, and returns its result.</summary>
    /// <param name="cancellationToken">Stops waiting; the task goes on.</param>
    /// <exception cref="TaskFailedException">The task failed.</exception>
    /// <exception cref="TaskCanceledException">The task was cancelled, or the token was.</exception>
    /// <exception cref="KeyNotFoundException">The task was forgotten.</exception>
    /// <exception cref="JsonException">The result is not of this type.</exception>
    public async Task<TResult> ResultAsync(CancellationToken cancellationToken = default)
    {
        var task = await _manager.WaitAsync(Id, cancellationToken).ConfigureAwait(false);
        return task.State switch
        {
            TaskState.Completed => task.Result is { } result ? JsonValue.Read(result, _resultType)! : default!,
            TaskState.Failed => throw new TaskFailedException(Id, task.Error ?? ""),
            _ => throw new TaskCanceledException($"Task '{Id}' was cancelled by {task.CancelledBy ?? "its body"}."),
        };
    }
}
