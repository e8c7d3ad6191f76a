namespace Coppice.Samples.ResearchTeam;

/// <summary>The command line or the environment asks for something that cannot be.</summary>
internal sealed class UsageException(string message) : Exception(message);
