namespace Coppice;

/// <summary>What an agent task has more than another: a thread of its own. Guarded by that thread's partition.</summary>
internal sealed class AgentSeat(string threadId, Guid reader, string? continues)
{
    internal string ThreadId { get; } = threadId;

    /// <summary>Gets or sets the reader that its mailbox was opened for; none while the task waits for a host.</summary>
    internal Guid Reader { get; set; } = reader;

    /// <summary>Gets the agent task whose thread it took on.</summary>
    internal string? Continues { get; } = continues;

    internal bool IsClosed { get; set; }
}
