namespace Coppice.Sqlite;

/// <summary>The batches that share a transaction, and what becomes of them when it lands.</summary>
internal sealed class CommitGroup(StoreState state, Notices notices)
{
    private readonly List<(PendingCommit Pending, WrittenBatch Written)> _members = [];

    public int Count => _members.Count;

    /// <summary>Gets the revision that is stored when this group has landed.</summary>
    public long Revision { get; private set; }

    /// <summary>Gets what listeners hear when it has landed.</summary>
    public Notices Notices { get; } = notices;

    public IEnumerable<PendingCommit> Members => _members.Select(member => member.Pending);

    public void Add(PendingCommit pending, WrittenBatch written)
    {
        _members.Add((pending, written));
        Revision = state.Counters.Revision;
    }

    /// <summary>
    /// The transaction has landed: first the batches are marked, so that whoever hears of a change finds its owner ready, then listeners
    /// hear, then callers are answered.
    /// </summary>
    /// <param name="tasks">Where to read tasks that listeners hear of.</param>
    public void Landed(TaskTable tasks)
    {
        state.Publish();
        var results = new CommitResult[_members.Count];
        for (var i = 0; i < results.Length; i++)
        {
            var (pending, written) = _members[i];
            var result = results[i] = written.ToResult(_members.Count);
            if (pending.Batch is { } batch && written.Status == CommitStatus.Landed)
            {
                Guarded.Call(static (marked, answer) => marked.MarkLanded(answer), batch, result);
            }
        }

        Notices.Tell(state.Listeners, tasks.Snapshot);
        for (var i = 0; i < results.Length; i++)
        {
            _members[i].Pending.TrySetResult(results[i]);
        }
    }

    /// <summary>Fails each caller with an exception of its own.</summary>
    public void Failed(Func<TaskStoreException> error)
    {
        foreach (var (pending, _) in _members)
        {
            pending.TrySetException(error());
        }
    }
}
