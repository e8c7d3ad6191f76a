namespace Coppice;

/// <summary>How often a process may end under a kind of task before the kind is stopped for a while.</summary>
public sealed record RestartIntensity
{
    /// <summary>Says how often.</summary>
    /// <param name="maxCrashes">How many processes; from 1.</param>
    /// <param name="within">Within what time; from 1 millisecond to 10 years.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its range.</exception>
    public RestartIntensity(int maxCrashes, TimeSpan within)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxCrashes, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(within, TimeSpan.FromMilliseconds(1));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(within, SpawnOptions.LongestWait);
        MaxCrashes = maxCrashes;
        Within = within;
    }

    /// <summary>Gets how many processes may end.</summary>
    public int MaxCrashes { get; }

    /// <summary>Gets within what time.</summary>
    public TimeSpan Within { get; }
}
