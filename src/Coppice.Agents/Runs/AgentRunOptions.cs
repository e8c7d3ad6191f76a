namespace Coppice;

/// <summary>How a run works for its thread.</summary>
public sealed class AgentRunOptions
{
    /// <summary>Gets or sets the run's id, which is the lineage of what its tool calls spawn; 1 to 256 bytes. A new one by default.</summary>
    public string? RunId { get; set; }

    /// <summary>Gets or sets the agent's id, the lineage of what its tool calls spawn and the sender of its messages; at most 256 bytes.</summary>
    public string AgentId { get; set; } = "";

    /// <summary>
    /// Gets or sets the tasks of an earlier life of the thread, taken in as the run starts (law 10 of the design: known ones are skipped, live ones
    /// become orphans, which are told as mail). Nothing by default: with a durable store nothing is needed.
    /// </summary>
    public IEnumerable<TaskSnapshot>? Snapshot { get; set; }

    /// <summary>
    /// Gets or sets the longest result, error or payload that the model is shown of one event, in characters. From 256; 8,192 by default. The
    /// rest is read with the tool <c>get_task</c>.
    /// </summary>
    public int MaxEventCharacters { get; set; } = 8 * 1024;

    /// <summary>Gets or sets how many events are told in one message; what is left over comes with the next. From 1; 100 by default.</summary>
    public int MaxEventsInMessage { get; set; } = 100;

    /// <summary>Gets or sets how many live tasks the digest names. From 0, which leaves it out; 20 by default.</summary>
    public int MaxDigestTasks { get; set; } = 20;

    internal AgentRunOptions Clone() => (AgentRunOptions)MemberwiseClone();

    internal void Validate()
    {
        ArgumentNullException.ThrowIfNull(AgentId);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxEventCharacters, 256);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxEventsInMessage, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(MaxDigestTasks);
    }
}
