namespace Coppice.Cli.Survey;

/// <summary>What became of the folders' tasks.</summary>
internal sealed record TaskCounts(long Spawned, long Completed, long Failed, long Cancelled, long NotBegun);
