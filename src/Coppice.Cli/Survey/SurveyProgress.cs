namespace Coppice.Cli.Survey;

/// <summary>How the survey gets on. The folders known grow while it goes on.</summary>
internal sealed record SurveyProgress(long FoldersDone, long FoldersKnown, long Files, long Lines, long Bytes);
