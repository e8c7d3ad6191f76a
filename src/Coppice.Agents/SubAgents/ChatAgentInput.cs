namespace Coppice;

/// <summary>What a registered agent is set to work on.</summary>
/// <param name="Prompt">What it is to do, with all it has to know.</param>
public sealed record ChatAgentInput(string Prompt);
