namespace Coppice;

/// <summary>The answer to sending failed messages again.</summary>
/// <param name="Replayed">How many are on their way again.</param>
/// <param name="Left">How many of those asked for stay failed.</param>
public readonly record struct ReplayResult(int Replayed, int Left);
