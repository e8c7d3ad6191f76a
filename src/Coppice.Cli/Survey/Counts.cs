namespace Coppice.Cli.Survey;

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
