namespace Coppice.Testing;

/// <summary>
/// Runs managers, bodies, the store and several hosts on one thread and one clock, where chance decides what happens next, and checks
/// Coppice's laws over what happened. The same seed is the same history, in any process.
/// </summary>
/// <remarks>
/// Everything that a scenario and its bodies await has to come from the managers, from <see cref="SimulationWorld"/> or from the clocks of
/// the world and its hosts. What leaves the simulation's thread is found and reported.
/// </remarks>
public static class Simulation
{
    /// <summary>Runs a scenario in many histories and checks the laws in each.</summary>
    /// <param name="scenario">
    /// What happens: it starts hosts, has them spawn, cancel and crash, and may assert. It runs once for each history and must keep nothing
    /// from one to the next. After it everybody is woken, time passes, the hosts shut down and the laws are checked.
    /// </param>
    /// <param name="options">How to explore.</param>
    /// <param name="cancellationToken">Stops before the next history.</param>
    /// <returns>What was gone through.</returns>
    /// <exception cref="SimulationFailedException">A law was broken or the scenario threw; the message has the smallest such history found.</exception>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public static Task<SimulationReport> ExploreAsync(
        Func<SimulationWorld, Task> scenario, SimulationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(scenario);
        options ??= new SimulationOptions();
        options.Check();
        var explorer = new Explorer(scenario, options);
        return SimulationThread.RunAsync(explorer, () => explorer.Explore(cancellationToken), options.StandstillTimeout);
    }

    /// <summary>Runs one history again.</summary>
    /// <param name="scenario">The scenario that failed, or that has been mended.</param>
    /// <param name="replay">What <see cref="SimulationFailedException.Replay"/> says.</param>
    /// <param name="options">The options of the exploration; how many histories and which seeds does not matter.</param>
    /// <returns>What was gone through, with the history.</returns>
    /// <exception cref="SimulationFailedException">It failed.</exception>
    /// <exception cref="FormatException"><paramref name="replay"/> is no replay string of this version.</exception>
    public static Task<SimulationReport> ReplayAsync(Func<SimulationWorld, Task> scenario, string replay, SimulationOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(scenario);
        ArgumentNullException.ThrowIfNull(replay);
        options ??= new SimulationOptions();
        options.Check();
        var choices = ReplayString.Read(replay);
        var explorer = new Explorer(scenario, options);
        return SimulationThread.RunAsync(explorer, () => explorer.Replay(choices), options.StandstillTimeout);
    }
}
