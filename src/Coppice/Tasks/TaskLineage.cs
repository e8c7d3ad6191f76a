using System.Text.Json.Serialization;

namespace Coppice;

/// <summary>Where a task was spawned from. All of it is optional; a missing part is <see langword="null"/>.</summary>
/// <remarks>An empty string is no value: spawning stores it as <see langword="null"/>.</remarks>
[JsonConverter(typeof(TaskLineageJsonConverter))]
public sealed record TaskLineage
{
    /// <summary>Gets the lineage that says nothing.</summary>
    public static TaskLineage None { get; } = new();

    /// <summary>Gets the task that spawned this one: its parent.</summary>
    public string? TaskId { get; init; }

    /// <summary>Gets the run (one activation of an agent) that it was spawned in.</summary>
    public string? RunId { get; init; }

    /// <summary>Gets the tool call that spawned it.</summary>
    public string? CallId { get; init; }

    /// <summary>Gets the agent that spawned it.</summary>
    public string? AgentId { get; init; }

    /// <summary>Gets whether nothing is known: every part is missing or empty.</summary>
    [JsonIgnore]
    public bool IsEmpty =>
        string.IsNullOrEmpty(TaskId) && string.IsNullOrEmpty(RunId) && string.IsNullOrEmpty(CallId) && string.IsNullOrEmpty(AgentId);
}
