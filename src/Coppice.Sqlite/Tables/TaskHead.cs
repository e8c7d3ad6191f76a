namespace Coppice.Sqlite;

/// <summary>What the writer decides by: a task without its long texts.</summary>
internal readonly record struct TaskHead(
    long Number,
    long Owner,
    TaskState State,
    bool CancelRequested,
    long? Parent,
    long HostEpoch,
    long EventsThrough,
    long? AgentThread,
    bool AgentOpen)
{
    public bool IsLive => !State.IsTerminal();
}
