namespace Coppice.Cli.Survey;

/// <summary>Something worth reporting, and where.</summary>
internal sealed record Problem(string Kind, string Path, string Detail);
