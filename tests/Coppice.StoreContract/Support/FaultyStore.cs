using System.Collections.Concurrent;

namespace Coppice.StoreContract;

/// <summary>
/// A store that fails when it is told to, in front of one that works: before the commit, after it has landed (the answer is lost), or
/// not at all but later. Everything else goes through.
/// </summary>
/// <param name="inner">The store that works. It is not disposed with this one.</param>
public sealed class FaultyStore(ITaskStore inner) : ITaskStore
{
    private readonly Lock _lock = new();
    private readonly List<Fault> _faults = [];
    private readonly ConcurrentDictionary<BatchId, MutationBatch> _unseen = new();
    private int _commits;
    private int _lookups;
    private int _reads;
    private int _failingLookups;
    private Signal _heartbeat = new();

    /// <inheritdoc/>
    public long MailDepth => inner.MailDepth;

    /// <summary>Gets how many batches were handed in.</summary>
    public int Commits => Volatile.Read(ref _commits);

    /// <summary>Gets how many batches were looked up.</summary>
    public int Lookups => Volatile.Read(ref _lookups);

    /// <summary>Gets how often a task was read.</summary>
    public int Reads => Volatile.Read(ref _reads);

    /// <summary>Gets or sets what becomes of each batch that no other fault covers, or <see langword="null"/>.</summary>
    public Func<MutationBatch, FaultMoment>? Always { get; set; }

    /// <summary>Gets or sets who hears of commits in place of whoever subscribes, or <see langword="null"/>.</summary>
    public Func<ITaskStoreListener, ITaskStoreListener>? Hears { get; set; }

    /// <summary>Whether a batch has a mutation of a kind.</summary>
    public static Func<MutationBatch, bool> Has<T>()
        where T : Mutation => static batch => batch.Mutations.Any(static mutation => mutation is T);

    /// <summary>Fails the next batches of a kind.</summary>
    /// <typeparam name="T">The mutation that they have.</typeparam>
    /// <param name="moment">When.</param>
    /// <param name="times">How many of them.</param>
    /// <param name="isTransient">Whether the fault may pass.</param>
    public Fault Fail<T>(FaultMoment moment, int times = 1, bool isTransient = true)
        where T : Mutation => Add(new Fault(Has<T>(), moment, times, isTransient));

    /// <summary>Holds the next batch of a kind, until it is released.</summary>
    /// <typeparam name="T">The mutation that it has.</typeparam>
    /// <param name="moment">Where: in front of the commit, or after it has landed.</param>
    public Fault Hold<T>(FaultMoment moment)
        where T : Mutation => Add(new Fault(Has<T>(), moment, 1, isTransient: true) { IsHold = true });

    /// <summary>Fails the next look-ups.</summary>
    /// <param name="times">How many.</param>
    public void FailLookups(int times) => Volatile.Write(ref _failingLookups, times);

    /// <summary>The next heartbeat that the store has answered, from this call on.</summary>
    public Task NextHeartbeatAsync()
    {
        lock (_lock)
        {
            return _heartbeat.Task;
        }
    }

    /// <inheritdoc/>
    public async ValueTask<CommitResult> CommitAsync(MutationBatch batch, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batch);
        Interlocked.Increment(ref _commits);
        var always = Always?.Invoke(batch) ?? FaultMoment.Never;
        var fault = Take(batch);
        if (always == FaultMoment.BeforeCommit || fault?.Moment is FaultMoment.BeforeCommit or FaultMoment.KnownBeforeCommit)
        {
            await Meet(fault, fault?.Moment == FaultMoment.KnownBeforeCommit, cancellationToken);
        }

        if (fault?.Moment == FaultMoment.AfterCommitUnseen)
        {
            var twin = new MutationBatch(batch.Id, batch.Host, batch.Time, batch.Mutations);
            _unseen.TryAdd(batch.Id, twin);
            await inner.CommitAsync(twin, cancellationToken);
            await Meet(fault, isKnown: false, CancellationToken.None);
            throw new InvalidOperationException("A batch that nobody saw land cannot be held.");
        }

        var result = await inner.CommitAsync(batch, cancellationToken);
        if (always == FaultMoment.AfterCommit || fault?.Moment == FaultMoment.AfterCommit)
        {
            await Meet(fault, isKnown: false, CancellationToken.None);
        }

        return result;
    }

    /// <inheritdoc/>
    public async ValueTask<CommitResult?> FindCommitAsync(MutationBatch batch, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batch);
        Interlocked.Increment(ref _lookups);
        if (Interlocked.Decrement(ref _failingLookups) >= 0)
        {
            throw new TaskStoreException("The test's store could not look it up.", isTransient: true);
        }

        if (!_unseen.TryGetValue(batch.Id, out var twin))
        {
            return await inner.FindCommitAsync(batch, cancellationToken);
        }

        var found = await inner.FindCommitAsync(twin, cancellationToken);
        if (found is not null && _unseen.TryRemove(batch.Id, out _))
        {
            batch.MarkLanded(found);
        }

        return found;
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<HostStatus>> HeartbeatAsync(HostFence fence, CancellationToken cancellationToken)
    {
        var hosts = await inner.HeartbeatAsync(fence, cancellationToken);
        Signal heartbeat;
        lock (_lock)
        {
            heartbeat = _heartbeat;
            _heartbeat = new Signal();
        }

        heartbeat.Set();
        return hosts;
    }

    /// <inheritdoc/>
    public ValueTask<TaskSnapshot?> GetAsync(string taskId, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _reads);
        return inner.GetAsync(taskId, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<TaskSnapshot>> ListAsync(
        TaskQuery query, TaskCursor? after, int limit, CancellationToken cancellationToken) =>
        inner.ListAsync(query, after, limit, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<bool> HasLiveAsync(string ownerThreadId, CancellationToken cancellationToken) =>
        inner.HasLiveAsync(ownerThreadId, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<string?> FindLiveChildAsync(TaskLineage parent, string nameOrTaskId, CancellationToken cancellationToken) =>
        inner.FindLiveChildAsync(parent, nameOrTaskId, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<MailPage> ReadMailAsync(
        string threadId, Guid reader, long afterSequence, int limit, CancellationToken cancellationToken) =>
        inner.ReadMailAsync(threadId, reader, afterSequence, limit, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<ConversationPage> ReadConversationAsync(string threadId, int from, int limit, CancellationToken cancellationToken) =>
        inner.ReadConversationAsync(threadId, from, limit, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<TaskStep>> ReadStepsAsync(string taskId, int from, int limit, CancellationToken cancellationToken) =>
        inner.ReadStepsAsync(taskId, from, limit, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<int> CountUnreadEventsAsync(string threadId, CancellationToken cancellationToken) =>
        inner.CountUnreadEventsAsync(threadId, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<string>> ListThreadsWithUnreadMailAsync(CancellationToken cancellationToken) =>
        inner.ListThreadsWithUnreadMailAsync(cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<DeadLetter>> ListDeadLettersAsync(string threadId, CancellationToken cancellationToken) =>
        inner.ListDeadLettersAsync(threadId, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<FailedMessage>> ListFailedMessagesAsync(string threadId, CancellationToken cancellationToken) =>
        inner.ListFailedMessagesAsync(threadId, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<DateTimeOffset?> FindNextExpiryAsync(CancellationToken cancellationToken) => inner.FindNextExpiryAsync(cancellationToken);

    /// <inheritdoc/>
    public IDisposable Subscribe(ITaskStoreListener listener) => inner.Subscribe(Hears?.Invoke(listener) ?? listener);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static async Task Meet(Fault? fault, bool isKnown, CancellationToken cancellationToken)
    {
        fault?.Reached.Set();
        if (fault is { IsHold: true })
        {
            await fault.Released.WaitAsync(cancellationToken);
            return;
        }

        throw new TaskStoreException("The test's store failed, as it was told to.", fault?.IsTransient ?? true) { IsKnownNotCommitted = isKnown };
    }

    private Fault Add(Fault fault)
    {
        lock (_lock)
        {
            _faults.Add(fault);
        }

        return fault;
    }

    private Fault? Take(MutationBatch batch)
    {
        lock (_lock)
        {
            var fault = _faults.Find(fault => fault.Covers(batch));
            if (fault is not null && fault.UseUp())
            {
                _faults.Remove(fault);
            }

            return fault;
        }
    }
}
