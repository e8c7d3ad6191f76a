namespace Coppice.Cli.Survey;

/// <summary>The result of a survey.</summary>
internal sealed record SurveyReport
{
    public required string Root { get; init; }

    public required string Status { get; init; }

    public string? Error { get; init; }

    public string? TaskId { get; init; }

    public long ElapsedMs { get; init; }

    public required TaskCounts Tasks { get; init; }

    public required Counts Totals { get; init; }

    public IReadOnlyList<FolderRow> Folders { get; init; } = [];

    public long FoldersNotListed { get; init; }

    public IReadOnlyList<KindCount> Kinds { get; init; } = [];

    public long KindsNotListed { get; init; }

    public IReadOnlyList<Tallied> Excluded { get; init; } = [];

    public IReadOnlyList<Tallied> ProblemCounts { get; init; } = [];

    public IReadOnlyList<Problem> Problems { get; init; } = [];
}
