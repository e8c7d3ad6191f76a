namespace Coppice.PostgreSql;

/// <summary>The batches that share a transaction, and what becomes of them when it lands.</summary>
internal sealed class CommitGroup(IReadOnlyList<PendingCommit> members, Listeners listeners)
{
    private readonly List<WrittenBatch> _written = [];

    public IReadOnlyList<PendingCommit> Members => members;

    /// <summary>Gets what listeners hear when it has landed.</summary>
    public Notices Notices { get; } = new();

    /// <summary>Gets or sets what other processes hear then.</summary>
    public IReadOnlyList<NewsItem> News { get; set; } = [];

    /// <summary>Gets or sets by what the transaction can be looked up, if it writes anything.</summary>
    public CommitMark? Mark { get; set; }

    /// <summary>Gets the batches.</summary>
    public IReadOnlyList<MutationBatch> Batches { get; } = [.. members.Select(static member => member.Batch).OfType<MutationBatch>()];

    public void Add(WrittenBatch written) => _written.Add(written);

    /// <summary>Gets or sets whether revisions were given before it was known where they begin.</summary>
    public bool LacksRevision { get; set; }

    /// <summary>Raises the revisions to where they begin.</summary>
    public void RaiseRevisions(long by)
    {
        LacksRevision = false;
        Notices.RaiseRevisions(by);
        News = [.. News.Select(item => item.Raised(by))];
        for (var i = 0; i < _written.Count; i++)
        {
            if (_written[i] is { Status: CommitStatus.Landed } landed)
            {
                _written[i] = landed with { Revision = landed.Revision + by };
            }
        }
    }

    /// <summary>Begins anew, because the transaction was taken back.</summary>
    public void Clear()
    {
        _written.Clear();
        LacksRevision = false;
        Notices.Clear();
    }

    /// <summary>
    /// The transaction has landed: first the batches are marked, so that whoever hears of a change finds its owner ready, then listeners
    /// hear, then callers are answered.
    /// </summary>
    /// <param name="read">Reads a task that listeners hear of.</param>
    public void Landed(Func<long, TaskSnapshot?> read)
    {
        var results = new CommitResult[members.Count];
        for (var i = 0; i < results.Length; i++)
        {
            var result = results[i] = _written[i].ToResult(members.Count);
            if (members[i].Batch is { } batch && result.Status == CommitStatus.Landed)
            {
                Guarded.Call(static (marked, answer) => marked.MarkLanded(answer), batch, result);
            }
        }

        Notices.Tell(listeners, read);
        for (var i = 0; i < results.Length; i++)
        {
            members[i].TrySetResult(results[i]);
        }
    }

    /// <summary>Fails each caller with an exception of its own.</summary>
    public void Failed(Func<TaskStoreException> error)
    {
        foreach (var pending in members)
        {
            pending.TrySetException(error());
        }
    }
}
