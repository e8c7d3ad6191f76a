using System.Text.Json;

namespace Coppice;

/// <summary>A kind and what runs it.</summary>
internal abstract class RegisteredKind(TaskKind kind)
{
    internal TaskKind Kind => kind;

    /// <summary>The body of an attempt at a task with this input.</summary>
    internal abstract TaskBody CreateBody(JsonElement input);

    /// <summary>Whether the input is one that the kind can read; if not, what is wrong with it.</summary>
    internal abstract string? FaultOf(JsonElement input);

    /// <summary>The JSON schema of the input.</summary>
    internal abstract JsonElement InputSchema { get; }
}
