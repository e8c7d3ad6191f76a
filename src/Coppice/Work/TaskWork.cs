using System.Text.Json;

namespace Coppice;

/// <summary>What a task of a registered kind has more than another: its input, and how far its attempts have come.</summary>
/// <remarks>Two are equal when all they say is equal; inputs are compared as JSON values.</remarks>
public sealed record TaskWork
{
    /// <summary>Gets the name of the kind.</summary>
    public required string Kind { get; init; }

    /// <summary>Gets the version of the kind that the input was written for, from 1. A host that knows only an older one leaves the task alone.</summary>
    public int Version { get; init; } = 1;

    /// <summary>Gets the input, as it was given.</summary>
    public JsonElement Input { get; init; }

    /// <summary>Gets what becomes of it when an attempt ends with its process.</summary>
    public RecoveryPolicy Recovery { get; init; }

    /// <summary>Gets the priority; a higher one goes first.</summary>
    public int Priority { get; init; }

    /// <summary>Gets how many attempts were begun, without those that a stopping host handed back.</summary>
    public int Attempt { get; init; }

    /// <summary>Gets how many attempts failed and are tried again.</summary>
    public int Failures { get; init; }

    /// <summary>Gets how many attempts ended with their process.</summary>
    public int Crashes { get; init; }

    /// <summary>Gets when a pending task may begin, in UTC, to the millisecond; <see langword="null"/> when it may at once, and once it has begun.</summary>
    public DateTimeOffset? DueAt { get; init; }

    /// <summary>Gets when it fails if it has not ended, in UTC, to the millisecond.</summary>
    public DateTimeOffset? Deadline { get; init; }

    /// <summary>Gets the key under which its thread finds it again instead of spawning it twice.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>Gets why the last attempt failed that did and was followed by another; <see langword="null"/> where none has.</summary>
    public string? LastError { get; init; }

    /// <summary>Whether both say the same.</summary>
    /// <param name="other">The other.</param>
    public bool Equals(TaskWork? other) =>
        other is not null
        && Kind == other.Kind
        && Version == other.Version
        && JsonValue.Same(Input, other.Input)
        && Recovery == other.Recovery
        && Priority == other.Priority
        && Attempt == other.Attempt
        && Failures == other.Failures
        && Crashes == other.Crashes
        && DueAt == other.DueAt
        && Deadline == other.Deadline
        && IdempotencyKey == other.IdempotencyKey
        && LastError == other.LastError;

    /// <summary>A hash of what identifies the work.</summary>
    public override int GetHashCode() => HashCode.Combine(Kind, Version, Attempt, IdempotencyKey);
}
