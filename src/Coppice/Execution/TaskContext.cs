using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Coppice;

/// <summary>What a task's body works with. Safe for concurrent use.</summary>
/// <remarks>Source: awaken-runtime 0.4.0, TaskContext.</remarks>
public class TaskContext
{
    private static readonly CancellationToken EndedToken = new(canceled: true);

    private LiveTask? _live;

    internal TaskContext(BackgroundTaskManager manager, string taskId, string ownerThreadId, LiveTask? live)
    {
        Manager = manager;
        TaskId = taskId;
        OwnerThreadId = ownerThreadId;
        _live = live;
    }

    /// <summary>
    /// Gets the context of the task whose body is executing, or <see langword="null"/>. It flows with the body's async code; code
    /// that the body leaves behind still counts as the task.
    /// </summary>
    public static TaskContext? Current => AmbientTask.Current?.Context;

    /// <summary>Gets <see cref="Current"/> where it counts for a manager: where both work on the same store.</summary>
    /// <param name="manager">The manager.</param>
    /// <exception cref="ArgumentNullException"><paramref name="manager"/> is <see langword="null"/>.</exception>
    public static TaskContext? CurrentOn(BackgroundTaskManager manager)
    {
        ArgumentNullException.ThrowIfNull(manager);
        return AmbientTask.Current is { } task && manager.StartedCore is { } core && task.CountsFor(core.Store) ? task.Context : null;
    }

    /// <summary>Gets the manager that runs the task.</summary>
    public BackgroundTaskManager Manager { get; }

    /// <summary>Gets the task's id.</summary>
    public string TaskId { get; }

    /// <summary>Gets the thread that owns the task and is told how it ends.</summary>
    public string OwnerThreadId { get; }

    /// <summary>
    /// Gets the token that is cancelled when the task's cancellation is requested, when the manager shuts down, and when the host was
    /// given up. Asked for after the task has ended, it is a cancelled one.
    /// </summary>
    public CancellationToken CancellationToken => Live?.Token ?? EndedToken;

    private protected LiveTask? Live => Volatile.Read(ref _live);

    /// <summary>Posts an event to the owner's mailbox, in order, without waiting for the disk.</summary>
    /// <typeparam name="T">The type that is serialised, with the web defaults.</typeparam>
    /// <param name="eventType">Your word for it; 1 to 256 bytes. <c>agent_message</c> is reserved.</param>
    /// <param name="payload">The payload; at most 1 MB of JSON.</param>
    /// <returns>Whether it was accepted; <see langword="false"/> when too many wait or are unread, or the task has ended.</returns>
    /// <exception cref="ArgumentException">The type or the payload is not allowed, or over its limit.</exception>
    /// <exception cref="NotSupportedException">The payload cannot be written as JSON.</exception>
    [RequiresUnreferencedCode(JsonValue.ReflectionMessage)]
    [RequiresDynamicCode(JsonValue.ReflectionMessage)]
    public bool Emit<T>(string eventType, T payload) =>
        Emit(eventType, payload is JsonElement element ? element : JsonValue.From(payload));

    /// <summary>Posts an event to the owner's mailbox, in order, without waiting for the disk.</summary>
    /// <param name="eventType">Your word for it; 1 to 256 bytes. <c>agent_message</c> is reserved.</param>
    /// <param name="payload">The payload; at most 1 MB.</param>
    /// <returns>Whether it was accepted; <see langword="false"/> when too many wait or are unread, or the task has ended.</returns>
    /// <exception cref="ArgumentException">The type or the payload is not allowed, or over its limit.</exception>
    public bool Emit(string eventType, JsonElement payload)
    {
        var rules = Manager.Rules;
        rules.CheckId(eventType, nameof(eventType));
        if (eventType == AgentMessage.EventType)
        {
            throw new ArgumentException(
                $"The event type '{AgentMessage.EventType}' is reserved for messages; choose another.", nameof(eventType));
        }

        var kept = rules.CheckPayload(payload, nameof(payload));
        return Live is { } live && live.Emit(new CustomTaskEvent(TaskId, eventType, kept));
    }

    /// <summary>Posts an event to the owner's mailbox, in order, without waiting for the disk.</summary>
    /// <typeparam name="T">The type that is serialised.</typeparam>
    /// <param name="eventType">Your word for it; 1 to 256 bytes. <c>agent_message</c> is reserved.</param>
    /// <param name="payload">The payload; at most 1 MB of JSON.</param>
    /// <param name="jsonTypeInfo">The contract, as a source generator writes it.</param>
    /// <returns>Whether it was accepted; <see langword="false"/> when too many wait or are unread, or the task has ended.</returns>
    /// <exception cref="ArgumentException">The type or the payload is not allowed, or over its limit.</exception>
    public bool Emit<T>(string eventType, T payload, JsonTypeInfo<T> jsonTypeInfo)
    {
        ArgumentNullException.ThrowIfNull(jsonTypeInfo);
        return Emit(eventType, JsonSerializer.SerializeToElement(payload, jsonTypeInfo));
    }

    /// <summary>Parks until <see cref="CancellationToken"/> is cancelled. Never throws, and completes at once after the task has ended.</summary>
    public Task WhenCancelledAsync() => Live?.WhenCancelledAsync() ?? Task.CompletedTask;

    /// <summary>Lets go of what runs the task; the context itself may be kept anywhere.</summary>
    internal virtual void Release() => Volatile.Write(ref _live, null);
}
