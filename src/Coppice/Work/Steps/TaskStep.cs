using System.Text.Json;

namespace Coppice;

/// <summary>A step of a task that has ended: what a later attempt gets instead of running it again.</summary>
public sealed record TaskStep
{
    /// <summary>Gets its name, of which a task has one without a key and any number with different keys.</summary>
    public required string Name { get; init; }

    /// <summary>Gets its key among the steps of its name; empty for the one without.</summary>
    public string Key { get; init; } = "";

    /// <summary>Gets the name of the step that came before it in its flow; empty for the first, and for one with a key.</summary>
    public string After { get; init; } = "";

    /// <summary>Gets whether another step had begun after the same one when it was stored, so that it says nothing about what comes next there.</summary>
    public bool IsFork { get; init; }

    /// <summary>Gets what it gave; <see langword="null"/> when it failed or gives nothing.</summary>
    public JsonElement? Result { get; init; }

    /// <summary>Gets why it failed; <see langword="null"/> when it did not.</summary>
    public string? Error { get; init; }

    /// <summary>Whether both say the same.</summary>
    /// <param name="other">The other.</param>
    public bool Equals(TaskStep? other) =>
        other is not null
        && Name == other.Name
        && Key == other.Key
        && After == other.After
        && IsFork == other.IsFork
        && JsonValue.Same(Result, other.Result)
        && Error == other.Error;

    /// <summary>A hash of what identifies the step.</summary>
    public override int GetHashCode() => HashCode.Combine(Name, Key);
}
