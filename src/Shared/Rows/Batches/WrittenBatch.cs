namespace Coppice.Rows;

/// <summary>What became of a batch, if its group's transaction lands.</summary>
internal readonly record struct WrittenBatch(CommitStatus Status, long Revision, IReadOnlyList<MutationAnswer> Answers)
{
    /// <summary>Gets what becomes of no batch at all.</summary>
    public static WrittenBatch None { get; } = new(CommitStatus.Landed, 0, []);

    public CommitResult ToResult(int groupSize) => new(Status, Revision, Answers) { GroupSize = groupSize };
}
