namespace Coppice.Testing;

/// <summary>How a simulation explores. The defaults suit a test that runs in a second or two.</summary>
public sealed record SimulationOptions
{
    /// <summary>Gets how many histories are run, each with a seed of its own. From 1; 200 by default.</summary>
    public int Histories { get; init; } = 200;

    /// <summary>Gets the seed of the first history; the next has the next number. 1 by default.</summary>
    public long FirstSeed { get; init; } = 1;

    /// <summary>Gets what goes wrong between the hosts and the store.</summary>
    public SimulationFaults Faults { get; init; } = new();

    /// <summary>Gets where the hosts keep their tasks. In memory by default.</summary>
    public SimulationStore Store { get; init; } = SimulationStore.InMemory;

    /// <summary>Gets how many steps one history may take. From 100; 100,000 by default.</summary>
    public int MaxSteps { get; init; } = 100_000;

    /// <summary>Gets how much simulated time a scenario may take. One hour by default; then it counts as hanging.</summary>
    public TimeSpan MaxTime { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Gets how many runs may be spent on making a failing history smaller. From 0; 1,000 by default.</summary>
    public int MaxShrinkRuns { get; init; } = 1_000;

    /// <summary>
    /// Gets how long, by the system's clock, one step may take before the simulation counts as standing still: something in it waits for a
    /// thread. 30 seconds by default.
    /// </summary>
    public TimeSpan StandstillTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Gets further laws, internal to tests of the simulation itself.</summary>
    internal IReadOnlyList<Law>? Laws { get; init; }

    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    internal void Check()
    {
        ArgumentNullException.ThrowIfNull(Faults);
        ArgumentNullException.ThrowIfNull(Store);
        CheckAtLeast(nameof(Histories), Histories, 1);
        CheckAtLeast(nameof(MaxSteps), MaxSteps, 100);
        CheckAtLeast(nameof(MaxShrinkRuns), MaxShrinkRuns, 0);
        CheckPositive(nameof(MaxTime), MaxTime);
        CheckPositive(nameof(StandstillTimeout), StandstillTimeout);
    }

    private static void CheckAtLeast(string option, int value, int minimum)
    {
        if (value < minimum)
        {
            throw new ArgumentException($"SimulationOptions.{option} ({value}) must be at least {minimum}.");
        }
    }

    private static void CheckPositive(string option, TimeSpan value)
    {
        if (value <= TimeSpan.Zero)
        {
            throw new ArgumentException($"SimulationOptions.{option} ({value}) must be above zero.");
        }
    }
}
