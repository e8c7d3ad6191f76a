using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Coppice;

/// <summary>What a task's body returns: how the task ends. Immutable.</summary>
public sealed class TaskOutcome
{
    internal static readonly TaskOutcome SuccessWithoutResult = new(TaskState.Completed, null, null);

    private TaskOutcome(TaskState state, JsonElement? result, string? error)
    {
        State = state;
        Result = result;
        Error = error;
    }

    /// <summary>Gets the outcome of a body that gave up because it was asked to.</summary>
    public static TaskOutcome Cancelled { get; } = new(TaskState.Cancelled, null, null);

    /// <summary>Gets the state the task ends in: completed, failed or cancelled.</summary>
    public TaskState State { get; }

    /// <summary>Gets the result; <see langword="null"/> when there is none. JSON <c>null</c> is a result.</summary>
    public JsonElement? Result { get; }

    /// <summary>Gets the error of a failure.</summary>
    public string? Error { get; }

    /// <summary>Success with a JSON result. The element is cloned, so its document may be disposed.</summary>
    /// <param name="result">The result. More than the limit on results ends the task as failed, saying so.</param>
    /// <exception cref="ArgumentException"><paramref name="result"/> is an undefined element (<c>default</c>).</exception>
    public static TaskOutcome Success(JsonElement result)
    {
        if (result.ValueKind == JsonValueKind.Undefined)
        {
            throw new ArgumentException("The result is an undefined JsonElement; pass a parsed element.", nameof(result));
        }

        return new(TaskState.Completed, result.Clone(), null);
    }

    /// <summary>Success with a value, written as JSON with the web defaults; <see langword="null"/> is JSON <c>null</c>.</summary>
    /// <typeparam name="T">The type that is serialised.</typeparam>
    /// <param name="result">The value.</param>
    /// <exception cref="NotSupportedException">The value cannot be written as JSON.</exception>
    /// <exception cref="JsonException">The value cannot be written as JSON.</exception>
    [RequiresUnreferencedCode(JsonValue.ReflectionMessage)]
    [RequiresDynamicCode(JsonValue.ReflectionMessage)]
    public static TaskOutcome Success<T>(T result) => new(TaskState.Completed, JsonValue.From(result), null);

    /// <summary>Success with a value, written as JSON by its contract; <see langword="null"/> is JSON <c>null</c>.</summary>
    /// <typeparam name="T">The type that is serialised.</typeparam>
    /// <param name="result">The value.</param>
    /// <param name="jsonTypeInfo">The contract, as a source generator writes it.</param>
    /// <exception cref="ArgumentNullException"><paramref name="jsonTypeInfo"/> is <see langword="null"/>.</exception>
    /// <exception cref="NotSupportedException">The value cannot be written as JSON.</exception>
    /// <exception cref="JsonException">The value cannot be written as JSON.</exception>
    public static TaskOutcome Success<T>(T result, JsonTypeInfo<T> jsonTypeInfo)
    {
        ArgumentNullException.ThrowIfNull(jsonTypeInfo);
        return new(TaskState.Completed, JsonSerializer.SerializeToElement(result, jsonTypeInfo), null);
    }

    /// <summary>Failure.</summary>
    /// <param name="error">What went wrong, for the owner's model. A longer error than the limit is cut.</param>
    /// <exception cref="ArgumentNullException"><paramref name="error"/> is <see langword="null"/>.</exception>
    public static TaskOutcome Failure(string error)
    {
        ArgumentNullException.ThrowIfNull(error);
        return new(TaskState.Failed, null, error);
    }
}
