namespace Coppice;

/// <summary>Changes that land together or not at all. The only way to change a store.</summary>
/// <remarks>
/// The mutations are judged against the state before the batch; those that get in each other's way may be refused too. One that is
/// refused refuses its whole batch. A batch is handed in once; to try again, make a new one.
/// </remarks>
public sealed class MutationBatch
{
    // An Action<CommitResult>, or an ICommitObserver where a delegate for each batch would cost too much.
    private readonly object? _landed;
    private CommitResult? _result;

    /// <summary>Creates a batch.</summary>
    /// <param name="id">What it is looked up by.</param>
    /// <param name="host">Who hands it in.</param>
    /// <param name="time">The host's time; it becomes the creation, completion or cancel-request time of what lands.</param>
    /// <param name="mutations">One change or more.</param>
    /// <param name="landed">
    /// Called once by the store when the batch has landed, before anybody else can see or touch what it added. It may be called under
    /// the store's locks: it must be quick, must not call the store and must not throw.
    /// </param>
    /// <exception cref="ArgumentNullException"><paramref name="mutations"/> is <see langword="null"/>.</exception>
    /// <exception cref="ArgumentException"><paramref name="mutations"/> is empty.</exception>
    public MutationBatch(
        BatchId id, HostFence host, DateTimeOffset time, IReadOnlyList<Mutation> mutations, Action<CommitResult>? landed = null)
        : this(id, host, time, mutations, (object?)landed)
    {
    }

    internal MutationBatch(BatchId id, HostFence host, DateTimeOffset time, Mutation mutation, ICommitObserver? observer)
        : this(id, host, time, [mutation], (object?)observer)
    {
    }

    private MutationBatch(BatchId id, HostFence host, DateTimeOffset time, IReadOnlyList<Mutation> mutations, object? landed)
    {
        ArgumentNullException.ThrowIfNull(mutations);
        if (mutations.Count == 0)
        {
            throw new ArgumentException("A batch needs at least one mutation.", nameof(mutations));
        }

        Id = id;
        Host = host;
        Time = DateTimeOffset.FromUnixTimeMilliseconds(time.ToUnixTimeMilliseconds());
        Mutations = mutations;
        _landed = landed;
    }

    /// <summary>Gets what it is looked up by.</summary>
    public BatchId Id { get; }

    /// <summary>Gets who hands it in.</summary>
    public HostFence Host { get; }

    /// <summary>Gets the host's time, in UTC, to the millisecond.</summary>
    public DateTimeOffset Time { get; }

    /// <summary>Gets the changes.</summary>
    public IReadOnlyList<Mutation> Mutations { get; }

    /// <summary>
    /// Gets the answer, once the batch has landed. It is here even when the way back to the caller lost it, so a store in the same
    /// process can answer <see cref="ITaskStore.FindCommitAsync"/> from it.
    /// </summary>
    public CommitResult? Result => Volatile.Read(ref _result);

    /// <summary>For stores: says that the batch has landed. Call it once, at the moment its changes can no longer fail to be.</summary>
    /// <param name="result">The answer.</param>
    /// <exception cref="ArgumentNullException"><paramref name="result"/> is <see langword="null"/>.</exception>
    public void MarkLanded(CommitResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        Volatile.Write(ref _result, result);
        switch (_landed)
        {
            case ICommitObserver observer:
                observer.OnLanded(result, Host);
                break;
            case Action<CommitResult> landed:
                landed(result);
                break;
        }
    }
}
