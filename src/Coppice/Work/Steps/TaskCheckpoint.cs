using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Coppice;

/// <summary>
/// A small value that a task keeps for its later attempts: how far it has come. Kept in the store where the task is
/// <see cref="RecoveryPolicy.Resumable"/>; in any other an attempt begins without one.
/// </summary>
public sealed class TaskCheckpoint
{
    private const string Checkpoint = "checkpoint";

    private readonly TaskRunner _runner;
    private readonly string _taskId;
    private readonly HostFence _fence;
    private readonly bool _isKept;
    private TaskAttempt? _attempt;
    private JsonValueBox? _value;

    internal TaskCheckpoint(TaskRunner runner, TaskAttempt attempt, HostFence fence)
    {
        _runner = runner;
        _attempt = attempt;
        _taskId = attempt.TaskId;
        _fence = fence;
        _isKept = attempt.Work.Recovery == RecoveryPolicy.Resumable;
        _value = _isKept && attempt.Claimed.Checkpoint is { } value ? new JsonValueBox(value) : null;
    }

    /// <summary>Gets whether there is a value.</summary>
    public bool HasValue => Volatile.Read(ref _value) is not null;

    /// <summary>Reads the value.</summary>
    /// <typeparam name="T">Its type.</typeparam>
    /// <param name="jsonTypeInfo">Its contract, as a source generator writes it.</param>
    /// <returns>The value, or the default where there is none.</returns>
    /// <exception cref="JsonException">The value is not of this type.</exception>
    public T? Get<T>(JsonTypeInfo<T> jsonTypeInfo)
    {
        ArgumentNullException.ThrowIfNull(jsonTypeInfo);
        return Volatile.Read(ref _value) is { } value ? JsonValue.Read(value.Json, jsonTypeInfo) : default;
    }

    /// <summary>Reads the value, with the web defaults.</summary>
    /// <inheritdoc cref="Get{T}(JsonTypeInfo{T})"/>
    [RequiresUnreferencedCode(JsonValue.ReflectionMessage)]
    [RequiresDynamicCode(JsonValue.ReflectionMessage)]
    public T? Get<T>() => Volatile.Read(ref _value) is { } value ? JsonValue.Read<T>(value.Json) : default;

    /// <summary>Keeps a value in place of the one before. It is stored when this returns.</summary>
    /// <typeparam name="T">Its type.</typeparam>
    /// <param name="value">The value; at most 1 MB of JSON.</param>
    /// <param name="jsonTypeInfo">Its contract, as a source generator writes it.</param>
    /// <exception cref="ArgumentException">
    /// The value is over its limit, or cannot be written as JSON, whatever its type throws. An attempt that ends with that is not tried again.
    /// </exception>
    /// <exception cref="AttemptLostException">The attempt is over.</exception>
    public ValueTask SetAsync<T>(T value, JsonTypeInfo<T> jsonTypeInfo)
    {
        ArgumentNullException.ThrowIfNull(jsonTypeInfo);
        return SetAsync(StepValue.Write(value, jsonTypeInfo, Checkpoint, nameof(value)));
    }

    /// <summary>Keeps a value in place of the one before, with the web defaults. It is stored when this returns.</summary>
    /// <inheritdoc cref="SetAsync{T}(T, JsonTypeInfo{T})"/>
    [RequiresUnreferencedCode(JsonValue.ReflectionMessage)]
    [RequiresDynamicCode(JsonValue.ReflectionMessage)]
    public ValueTask SetAsync<T>(T value) => SetAsync(StepValue.Write(value, Checkpoint, nameof(value)));

    /// <summary>Lets go of the value and of what runs the task.</summary>
    internal void Release()
    {
        _attempt = null;
        Volatile.Write(ref _value, null);
    }

    private async ValueTask SetAsync(JsonElement value)
    {
        var kept = _runner.Rules.CheckStepValue(value, Checkpoint, nameof(value));
        var attempt = _attempt ?? throw new AttemptLostException(_taskId);
        if (_isKept)
        {
            await _runner.Attempts.StoreAsync("checkpoint", new StoreCheckpoint(_taskId, attempt.Claim, kept), attempt, _fence).ConfigureAwait(false);
        }

        Volatile.Write(ref _value, new JsonValueBox(kept));
    }

    // A JSON element is two words, which are not written at once.
    private sealed record JsonValueBox(JsonElement Json);
}
