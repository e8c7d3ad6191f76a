namespace Coppice.Rows;

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
    bool AgentOpen,
    long? Kind)
{
    public bool IsLive => !State.IsTerminal();

    /// <summary>Gets whether it is work that no host has.</summary>
    public bool IsWaiting => State == TaskState.Pending && Kind is not null;
}
