namespace Coppice.Testing;

/// <summary>A history broke a law, or the scenario failed in it. The message holds all that is needed to see it again.</summary>
public sealed class SimulationFailedException : Exception
{
    internal SimulationFailedException(Failure failure, long? seed, string replay, IReadOnlyList<string> history, Exception? inner)
        : base(Describe(failure, seed, replay, history), inner)
    {
        Law = failure.Law;
        Seed = seed;
        Replay = replay;
        History = history;
    }

    /// <summary>Gets what was broken, such as <c>Law 8: every ended task has exactly one terminal event</c>, or <c>Scenario: </c> and the exception's type.</summary>
    public string Law { get; }

    /// <summary>Gets the seed of the history that failed first; <see langword="null"/> for a replay.</summary>
    public long? Seed { get; }

    /// <summary>Gets what <see cref="Simulation.ReplayAsync"/> takes to run the smallest failing history that was found.</summary>
    public string Replay { get; }

    /// <summary>Gets that history, one line for each thing that happened: the time, who, and what.</summary>
    public IReadOnlyList<string> History { get; }

    private static string Describe(Failure failure, long? seed, string replay, IReadOnlyList<string> history) =>
        $"""
        {failure.Law} - {failure.What}
        {(seed is null ? "" : $"Seed {seed}. ")}Run it again with Simulation.ReplayAsync(scenario, "{replay}", options).
        The smallest history found, {history.Count} lines:
        {string.Join(Environment.NewLine, history)}
        """;
}
