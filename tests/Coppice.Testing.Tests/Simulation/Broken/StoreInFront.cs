namespace Coppice.Testing.Tests;

/// <summary>A store in front of one in memory, to be broken in one place.</summary>
internal abstract class StoreInFront : ITaskStore, ITaskStoreListener
{
    private readonly List<ITaskStoreListener> _listeners = [];

    protected StoreInFront() => Inner.Subscribe(this);

    public long MailDepth => Inner.MailDepth;

    public bool WantsChanges => _listeners.Exists(static listener => listener.WantsChanges);

    protected InMemoryTaskStore Inner { get; } = new();

    public virtual ValueTask<CommitResult> CommitAsync(MutationBatch batch, CancellationToken cancellationToken) =>
        Inner.CommitAsync(batch, cancellationToken);

    public virtual ValueTask<CommitResult?> FindCommitAsync(MutationBatch batch, CancellationToken cancellationToken) =>
        Inner.FindCommitAsync(batch, cancellationToken);

    public ValueTask<TaskSnapshot?> GetAsync(string taskId, CancellationToken cancellationToken) => Inner.GetAsync(taskId, cancellationToken);

    public virtual ValueTask<IReadOnlyList<TaskSnapshot>> ListAsync(
        TaskQuery query, TaskCursor? after, int limit, CancellationToken cancellationToken) => Inner.ListAsync(query, after, limit, cancellationToken);

    public ValueTask<bool> HasLiveAsync(string ownerThreadId, CancellationToken cancellationToken) =>
        Inner.HasLiveAsync(ownerThreadId, cancellationToken);

    public ValueTask<string?> FindLiveChildAsync(TaskLineage parent, string nameOrTaskId, CancellationToken cancellationToken) =>
        Inner.FindLiveChildAsync(parent, nameOrTaskId, cancellationToken);

    public virtual ValueTask<MailPage> ReadMailAsync(
        string threadId, Guid reader, long afterSequence, int limit, CancellationToken cancellationToken) =>
        Inner.ReadMailAsync(threadId, reader, afterSequence, limit, cancellationToken);

    public virtual ValueTask<ConversationPage> ReadConversationAsync(string threadId, int from, int limit, CancellationToken cancellationToken) =>
        Inner.ReadConversationAsync(threadId, from, limit, cancellationToken);

    public virtual ValueTask<IReadOnlyList<TaskStep>> ReadStepsAsync(string taskId, int from, int limit, CancellationToken cancellationToken) =>
        Inner.ReadStepsAsync(taskId, from, limit, cancellationToken);

    public ValueTask<int> CountUnreadEventsAsync(string threadId, CancellationToken cancellationToken) =>
        Inner.CountUnreadEventsAsync(threadId, cancellationToken);

    public ValueTask<IReadOnlyList<string>> ListThreadsWithUnreadMailAsync(CancellationToken cancellationToken) =>
        Inner.ListThreadsWithUnreadMailAsync(cancellationToken);

    public virtual ValueTask<IReadOnlyList<DeadLetter>> ListDeadLettersAsync(string threadId, CancellationToken cancellationToken) =>
        Inner.ListDeadLettersAsync(threadId, cancellationToken);

    public ValueTask<IReadOnlyList<FailedMessage>> ListFailedMessagesAsync(string threadId, CancellationToken cancellationToken) =>
        Inner.ListFailedMessagesAsync(threadId, cancellationToken);

    public ValueTask<DateTimeOffset?> FindNextExpiryAsync(CancellationToken cancellationToken) => Inner.FindNextExpiryAsync(cancellationToken);

    public virtual ValueTask<IReadOnlyList<HostStatus>> HeartbeatAsync(HostFence fence, CancellationToken cancellationToken) =>
        Inner.HeartbeatAsync(fence, cancellationToken);

    public IDisposable Subscribe(ITaskStoreListener listener)
    {
        _listeners.Add(listener);
        return new Subscription(_listeners, listener);
    }

    public ValueTask DisposeAsync() => Inner.DisposeAsync();

    public virtual void OnChange(TaskChange change) => Tell(listener => listener.OnChange(change));

    public virtual void OnCancelRequested(string taskId, long ownerEpoch) => Tell(listener => listener.OnCancelRequested(taskId, ownerEpoch));

    public void OnEnded(string taskId) => Tell(listener => listener.OnEnded(taskId));

    public virtual void OnMail(string threadId, bool wakes, bool hasReader) => Tell(listener => listener.OnMail(threadId, wakes, hasReader));

    public void OnMailboxOpened(string threadId, Guid reader, Guid? takenFrom) =>
        Tell(listener => listener.OnMailboxOpened(threadId, reader, takenFrom));

    public void OnMailLeftUnread(string threadId) => Tell(listener => listener.OnMailLeftUnread(threadId));

    public virtual void OnWork(string kind, DateTimeOffset? at) => Tell(listener => listener.OnWork(kind, at));

    public virtual void OnHostFenced(HostFence fence) => Tell(listener => listener.OnHostFenced(fence));

    /// <summary>Commits other mutations than were handed in, and says that those which were have landed.</summary>
    protected async ValueTask<CommitResult> CommitInsteadAsync(
        MutationBatch batch, Func<Mutation, Mutation> change, HostFence? host = null)
    {
        var twin = new MutationBatch(batch.Id, host ?? batch.Host, batch.Time, [.. batch.Mutations.Select(change)], result =>
        {
            if (batch.Result is null)
            {
                batch.MarkLanded(result);
            }
        });
        return await Inner.CommitAsync(twin, CancellationToken.None);
    }

    /// <summary>Commits what was handed in, and answers something else.</summary>
    protected async ValueTask<CommitResult> CommitAnsweringAsync(MutationBatch batch, Func<MutationAnswer, MutationAnswer> change)
    {
        var twin = new MutationBatch(
            batch.Id, batch.Host, batch.Time, batch.Mutations, result => batch.MarkLanded(new CommitResult(result.Status, result.Revision, [.. result.Answers.Select(change)])));
        var landed = await Inner.CommitAsync(twin, CancellationToken.None);
        return batch.Result ?? landed;
    }

    private void Tell(Action<ITaskStoreListener> news)
    {
        foreach (var listener in _listeners.ToList())
        {
            news(listener);
        }
    }

    private sealed class Subscription(List<ITaskStoreListener> listeners, ITaskStoreListener listener) : IDisposable
    {
        public void Dispose() => listeners.Remove(listener);
    }
}
