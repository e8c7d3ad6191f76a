namespace Coppice.Testing.Tests;

/// <summary>What a simulated task of a registered kind is told to do, one thing after the other.</summary>
/// <param name="Does">What, each with a number of its own.</param>
internal sealed record Order(IReadOnlyList<Doing> Does);

internal sealed record Doing(string What, int Number);
