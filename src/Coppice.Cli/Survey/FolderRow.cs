namespace Coppice.Cli.Survey;

/// <summary>The counts of a folder right below the surveyed one and all beneath it.</summary>
internal sealed record FolderRow : Counts
{
    public required string Path { get; init; }
}
