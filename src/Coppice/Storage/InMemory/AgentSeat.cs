namespace Coppice;

/// <summary>What an agent task has more than another: a thread of its own. Guarded by that thread's partition.</summary>
internal sealed class AgentSeat(string threadId, Guid reader, string? continues)
{
    internal string ThreadId { get; } = threadId;

    internal Guid Reader { get; } = reader;

    /// <summary>Gets the agent task whose thread it took on.</summary>
    internal string? Continues { get; } = continues;

    internal bool IsClosed { get; set; }
}
