namespace Coppice;

/// <summary>What an agent task has more than another: a thread of its own. Guarded by that thread's partition.</summary>
internal sealed class AgentSeat(string threadId, Guid reader)
{
    internal string ThreadId { get; } = threadId;

    internal Guid Reader { get; } = reader;

    internal bool IsClosed { get; set; }
}
