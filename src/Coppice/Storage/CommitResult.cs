namespace Coppice;

/// <summary>A store's answer to a batch.</summary>
public sealed class CommitResult
{
    // Of a single answer no list is made until somebody asks for it.
    private object _answers;

    /// <summary>Creates the answer.</summary>
    /// <param name="status">Whether the batch landed.</param>
    /// <param name="revision">The store's revision of this commit; 0 where nothing landed.</param>
    /// <param name="answers">One answer for each mutation, in order.</param>
    /// <exception cref="ArgumentNullException"><paramref name="answers"/> is <see langword="null"/>.</exception>
    public CommitResult(CommitStatus status, long revision, IReadOnlyList<MutationAnswer> answers)
    {
        ArgumentNullException.ThrowIfNull(answers);
        Status = status;
        Revision = revision;
        _answers = answers;
    }

    internal CommitResult(CommitStatus status, long revision, MutationAnswer answer)
    {
        Status = status;
        Revision = revision;
        _answers = answer;
    }

    /// <summary>Gets whether the batch landed.</summary>
    public CommitStatus Status { get; }

    /// <summary>Gets the store's revision of this commit. It grows from commit to commit, with gaps; 0 where nothing landed.</summary>
    public long Revision { get; }

    /// <summary>
    /// Gets one answer for each mutation, in order. Of a refused batch those that were not refused themselves are
    /// <see cref="NotApplied"/>; a fenced batch has none.
    /// </summary>
    public IReadOnlyList<MutationAnswer> Answers
    {
        get
        {
            if (_answers is MutationAnswer single)
            {
                _answers = new[] { single };
            }

            return (IReadOnlyList<MutationAnswer>)_answers;
        }
    }

    /// <summary>Gets the answer of a batch of one mutation; <see langword="null"/> when it was fenced.</summary>
    internal MutationAnswer? Answer => _answers as MutationAnswer ?? (Answers is [var single, ..] ? single : null);

    /// <summary>Gets how many batches shared the transaction; 1 on a store that does not group.</summary>
    public int GroupSize { get; init; } = 1;

    /// <summary>Gets or sets whether the answer was lost on its way and found by a look-up, so that later news may have come before it.</summary>
    internal bool WasFound { get; set; }
}

/// <summary>What became of a batch.</summary>
public enum CommitStatus
{
    /// <summary>All of it is stored.</summary>
    Landed,

    /// <summary>A mutation was refused, so nothing is stored.</summary>
    Refused,

    /// <summary>The host that handed it in has been given up for dead or has left, so nothing is stored.</summary>
    Fenced,
}
