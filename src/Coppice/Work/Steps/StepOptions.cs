namespace Coppice;

/// <summary>How a step is told from others, and what is kept of it.</summary>
public sealed record StepOptions
{
    /// <summary>
    /// Gets the key that tells it from other steps of its name: of a loop, say, what the round is about. Steps with a key may come in any order; those
    /// without are expected in the order of the attempt before. At most 256 bytes.
    /// </summary>
    public string? Key { get; init; }

    /// <summary>Gets whether a failure is kept too, so that later attempts get the failure instead of trying again. False by default.</summary>
    public bool KeepFailure { get; init; }
}
