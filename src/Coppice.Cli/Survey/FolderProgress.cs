namespace Coppice.Cli.Survey;

/// <summary>How a folder's task gets on. Until everything is listed the totals only say what was found so far.</summary>
internal sealed record FolderProgress(bool Listed, long Files, long TotalFiles, long Lines, long Bytes, long TotalBytes);
