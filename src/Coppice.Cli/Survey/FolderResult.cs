namespace Coppice.Cli.Survey;

/// <summary>The result of a folder's task.</summary>
internal sealed record FolderResult : Counts
{
    public required string Path { get; init; }

    public IReadOnlyList<KindCount> Kinds { get; init; } = [];

    public IReadOnlyList<Tallied> Excluded { get; init; } = [];

    public IReadOnlyList<Tallied> ProblemCounts { get; init; } = [];

    public IReadOnlyList<Problem> Problems { get; init; } = [];
}
