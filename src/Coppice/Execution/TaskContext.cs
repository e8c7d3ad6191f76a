using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Coppice;

/// <summary>What a task's body works with. Safe for concurrent use.</summary>
public class TaskContext
{
    /// <summary>Gets the context of the task whose body is executing, or <see langword="null"/>. It flows with the body's async code.</summary>
    public static TaskContext? Current => throw new NotImplementedException();

    /// <summary>Gets the manager that runs the task.</summary>
    public BackgroundTaskManager Manager => throw new NotImplementedException();

    /// <summary>Gets the task's id.</summary>
    public string TaskId => throw new NotImplementedException();

    /// <summary>Gets the thread that owns the task.</summary>
    public string OwnerThreadId => throw new NotImplementedException();

    /// <summary>Gets the token that is cancelled when the task's cancellation is requested, and when the manager shuts down.</summary>
    public CancellationToken CancellationToken => throw new NotImplementedException();

    /// <summary>Posts an event to the owner's mailbox, without waiting for the disk.</summary>
    /// <typeparam name="T">The type that is serialised, with the web defaults.</typeparam>
    /// <param name="eventType">Your word for it; at most 256 bytes.</param>
    /// <param name="payload">The payload; at most 1 MB of JSON.</param>
    /// <returns>Whether it was accepted; <see langword="false"/> when too many wait or are unread, or the task has ended.</returns>
    /// <exception cref="ArgumentException">The type or the payload is not allowed, or over its limit.</exception>
    [RequiresUnreferencedCode(JsonValue.ReflectionMessage)]
    [RequiresDynamicCode(JsonValue.ReflectionMessage)]
    public bool Emit<T>(string eventType, T payload) => throw new NotImplementedException();

    /// <inheritdoc cref="Emit{T}(string, T)"/>
    public bool Emit(string eventType, JsonElement payload) => throw new NotImplementedException();

    /// <inheritdoc cref="Emit{T}(string, T)"/>
    /// <param name="eventType">Your word for it; at most 256 bytes.</param>
    /// <param name="payload">The payload; at most 1 MB of JSON.</param>
    /// <param name="jsonTypeInfo">The contract, as a source generator writes it.</param>
    public bool Emit<T>(string eventType, T payload, JsonTypeInfo<T> jsonTypeInfo) => throw new NotImplementedException();

    /// <summary>Parks until the token is cancelled. Never throws.</summary>
    public Task WhenCancelledAsync() => throw new NotImplementedException();
}

/// <summary>x</summary>
public sealed class AgentTaskContext : TaskContext
{
    /// <summary>x</summary>
    public string ThreadId => throw new NotImplementedException();
    /// <summary>x</summary>
    public Inbox Inbox => throw new NotImplementedException();
    /// <summary>x</summary>
    public void CloseInbox() => throw new NotImplementedException();
}
