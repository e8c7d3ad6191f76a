namespace Coppice;

/// <summary>Changes that land together or not at all. The only way to change a store.</summary>
/// <remarks>
/// The mutations are judged against the state before the batch; those that get in each other's way may be refused too. One that is
/// refused refuses its whole batch. A batch is handed in once; to try again, make a new one.
/// </remarks>
public sealed class MutationBatch
{
    // A batch is made for every change there is, most of them of one mutation; hence one field for either form, and no list for one.
    private readonly object? _landed;
    private readonly long _timeMs;
    private object _mutations;
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
        : this(id, host, time, (object)mutations, landed)
    {
        ArgumentNullException.ThrowIfNull(mutations);
        if (mutations.Count == 0)
        {
            throw new ArgumentException("A batch needs at least one mutation.", nameof(mutations));
        }
    }

    internal MutationBatch(BatchId id, HostFence host, DateTimeOffset time, Mutation mutation, ICommitObserver? observer)
        : this(id, host, time, (object)mutation, observer)
    {
    }

    private MutationBatch(BatchId id, HostFence host, DateTimeOffset time, object mutations, object? landed)
    {
        Id = id;
        Host = host;
        _timeMs = time.ToUnixTimeMilliseconds();
        _mutations = mutations;
        _landed = landed;
    }

    /// <summary>Gets what it is looked up by.</summary>
    public BatchId Id { get; }

    /// <summary>Gets who hands it in.</summary>
    public HostFence Host { get; }

    /// <summary>Gets the host's time, in UTC, to the millisecond.</summary>
    public DateTimeOffset Time => DateTimeOffset.FromUnixTimeMilliseconds(_timeMs);

    /// <summary>Gets the changes.</summary>
    public IReadOnlyList<Mutation> Mutations
    {
        get
        {
            if (_mutations is Mutation single)
            {
                _mutations = new[] { single };
            }

            return (IReadOnlyList<Mutation>)_mutations;
        }
    }

    /// <summary>Gets the change of a batch that has one only.</summary>
    internal Mutation? Single => _mutations as Mutation ?? (Mutations is [var single] ? single : null);

    /// <summary>
    /// Gets the answer, once the batch has landed. It is here even when the way back to the caller lost it, so a store in the same
    /// process can answer <see cref="ITaskStore.FindCommitAsync"/> from it.
    /// </summary>
    public CommitResult? Result => Volatile.Read(ref _result);

    /// <summary>Gets whether somebody has to hear that the batch has landed, however late.</summary>
    internal bool IsObserved => _landed is not null;

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
