namespace Coppice;

/// <summary>What a restore did.</summary>
/// <param name="Added">How many tasks were not known before and are now.</param>
/// <param name="Skipped">How many were known already and stayed as they were.</param>
/// <param name="Orphaned">How many of those added had been live and became orphans.</param>
public readonly record struct RestoreResult(int Added, int Skipped, int Orphaned);
