namespace Coppice.Rows;

/// <summary>Something, other than a change of a task, that listeners hear once it is committed.</summary>
internal abstract record Notice
{
    public abstract void Tell(ITaskStoreListener listener);

    public sealed record CancelRequested(string TaskId, long OwnerEpoch) : Notice
    {
        public override void Tell(ITaskStoreListener listener) => listener.OnCancelRequested(TaskId, OwnerEpoch);
    }

    public sealed record Ended(string TaskId) : Notice
    {
        public override void Tell(ITaskStoreListener listener) => listener.OnEnded(TaskId);
    }

    public sealed record Mail(string ThreadId, bool Wakes, bool HasReader) : Notice
    {
        public override void Tell(ITaskStoreListener listener) => listener.OnMail(ThreadId, Wakes, HasReader);
    }

    public sealed record MailboxOpened(string ThreadId, Guid Reader, Guid? TakenFrom) : Notice
    {
        public override void Tell(ITaskStoreListener listener) => listener.OnMailboxOpened(ThreadId, Reader, TakenFrom);
    }

    public sealed record MailLeftUnread(string ThreadId) : Notice
    {
        public override void Tell(ITaskStoreListener listener) => listener.OnMailLeftUnread(ThreadId);
    }

    public sealed record Work(string Kind, DateTimeOffset? At) : Notice
    {
        public override void Tell(ITaskStoreListener listener) => listener.OnWork(Kind, At);
    }

    public sealed record HostFenced(HostFence Fence) : Notice
    {
        public override void Tell(ITaskStoreListener listener) => listener.OnHostFenced(Fence);
    }

    /// <summary>Ends may have gone unheard.</summary>
    public sealed record EndsMissed : Notice
    {
        public override void Tell(ITaskStoreListener listener) => listener.OnEndsMissed();
    }

    /// <summary>Changes have gone unheard.</summary>
    public sealed record ChangesMissed : Notice
    {
        public override void Tell(ITaskStoreListener listener) => listener.OnChangesMissed();
    }
}
