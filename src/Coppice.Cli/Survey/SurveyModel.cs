using System.Text.Json.Serialization;

namespace Coppice.Cli.Survey;

// What goes through the store: the results and events of a survey's tasks, in snake_case. They belong together.

/// <summary>How many files, lines and bytes.</summary>
internal record Counts
{
    public long Folders { get; set; }

    public long Files { get; set; }

    public long Lines { get; set; }

    public long Bytes { get; set; }

    public long BinaryFiles { get; set; }

    public long LinksNotFollowed { get; set; }

    public void Add(Counts other)
    {
        Folders += other.Folders;
        Files += other.Files;
        Lines += other.Lines;
        Bytes += other.Bytes;
        BinaryFiles += other.BinaryFiles;
        LinksNotFollowed += other.LinksNotFollowed;
    }
}

/// <summary>The counts of one kind of file, which is its extension.</summary>
internal sealed record KindCount(string Kind, long Files, long Lines, long Bytes);

/// <summary>Something worth reporting, and where.</summary>
internal sealed record Problem(string Kind, string Path, string Detail);

/// <summary>A word and how often it came up.</summary>
internal sealed record Tallied(string Name, long Count);

/// <summary>The result of a folder's task.</summary>
internal sealed record FolderResult : Counts
{
    public required string Path { get; init; }

    public IReadOnlyList<KindCount> Kinds { get; init; } = [];

    public IReadOnlyList<Tallied> Excluded { get; init; } = [];

    public IReadOnlyList<Tallied> ProblemCounts { get; init; } = [];

    public IReadOnlyList<Problem> Problems { get; init; } = [];
}

/// <summary>The counts of a folder right below the surveyed one and all beneath it.</summary>
internal sealed record FolderRow : Counts
{
    public required string Path { get; init; }
}

/// <summary>How a folder's task gets on. Until everything is listed the totals only say what was found so far.</summary>
internal sealed record FolderProgress(bool Listed, long Files, long TotalFiles, long Lines, long Bytes, long TotalBytes);

/// <summary>How the survey gets on. The folders known grow while it goes on.</summary>
internal sealed record SurveyProgress(long FoldersDone, long FoldersKnown, long Files, long Lines, long Bytes);

/// <summary>What became of the folders' tasks.</summary>
internal sealed record TaskCounts(long Spawned, long Completed, long Failed, long Cancelled, long NotBegun);

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

/// <summary>The contracts of what a survey stores and prints.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(FolderResult))]
[JsonSerializable(typeof(FolderProgress))]
[JsonSerializable(typeof(SurveyProgress))]
[JsonSerializable(typeof(SurveyReport))]
internal sealed partial class SurveyJson : JsonSerializerContext;
