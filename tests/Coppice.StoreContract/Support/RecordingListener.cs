namespace Coppice.StoreContract;

/// <summary>Writes down what a store tells, in order, and can be waited for.</summary>
public sealed class RecordingListener : ITaskStoreListener
{
    private readonly Lock _lock = new();
    private readonly List<Heard> _heard = [];
    private Signal _next = new();
    private volatile bool _wantsChanges = true;

    /// <summary>What was heard: the method, its subject, and the arguments.</summary>
    public sealed record Heard(string What, string Subject, object? Detail = null);

    /// <inheritdoc/>
    public bool WantsChanges
    {
        get => _wantsChanges;
        set => _wantsChanges = value;
    }

    /// <summary>Gets what is called on the store's thread for each thing heard.</summary>
    public Action<Heard>? OnHeard { get; init; }

    /// <summary>What was heard so far.</summary>
    public IReadOnlyList<Heard> Snapshot()
    {
        lock (_lock)
        {
            return [.. _heard];
        }
    }

    /// <summary>The changes heard so far.</summary>
    public IReadOnlyList<TaskChange> Changes() => [.. Snapshot().Select(static heard => heard.Detail).OfType<TaskChange>()];

    /// <summary>Waits until something was heard that is asked for, and tells it.</summary>
    public async Task<Heard> UntilAsync(Func<Heard, bool> condition)
    {
        ArgumentNullException.ThrowIfNull(condition);
        while (true)
        {
            Signal next;
            lock (_lock)
            {
                if (_heard.Find(new Predicate<Heard>(condition)) is { } found)
                {
                    return found;
                }

                next = _next;
            }

            await next.WaitAsync();
        }
    }

    /// <summary>Waits until a method was called for a subject.</summary>
    public Task<Heard> UntilAsync(string what, string subject) =>
        UntilAsync(heard => heard.What == what && heard.Subject == subject);

    void ITaskStoreListener.OnChange(TaskChange change) => Add(new("Change", change.Task.TaskId, change));

    void ITaskStoreListener.OnCancelRequested(string taskId, long ownerEpoch) => Add(new("CancelRequested", taskId, ownerEpoch));

    void ITaskStoreListener.OnEnded(string taskId) => Add(new("Ended", taskId));

    void ITaskStoreListener.OnMail(string threadId, bool wakes, bool hasReader) => Add(new("Mail", threadId, (wakes, hasReader)));

    void ITaskStoreListener.OnMailboxOpened(string threadId, Guid reader, Guid? takenFrom) => Add(new("MailboxOpened", threadId, (reader, takenFrom)));

    void ITaskStoreListener.OnMailLeftUnread(string threadId) => Add(new("MailLeftUnread", threadId));

    void ITaskStoreListener.OnWork(string kind, DateTimeOffset? at) => Add(new("Work", kind, at));

    void ITaskStoreListener.OnHostFenced(HostFence fence) => Add(new("HostFenced", fence.HostId, fence));

    private void Add(Heard heard)
    {
        OnHeard?.Invoke(heard);
        Signal next;
        lock (_lock)
        {
            _heard.Add(heard);
            next = _next;
            _next = new Signal();
        }

        next.Set();
    }
}
