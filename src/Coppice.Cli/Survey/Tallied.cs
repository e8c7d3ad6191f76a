namespace Coppice.Cli.Survey;

/// <summary>A word and how often it came up.</summary>
internal sealed record Tallied(string Name, long Count);
