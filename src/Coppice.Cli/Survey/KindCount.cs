namespace Coppice.Cli.Survey;

/// <summary>The counts of one kind of file, which is its extension.</summary>
internal sealed record KindCount(string Kind, long Files, long Lines, long Bytes);
