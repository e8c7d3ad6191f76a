namespace Coppice.Testing;

/// <summary>
/// What goes wrong between the hosts and the store of a simulation, each as a likelihood from 0 to 1 for one call. Histories differ in
/// how much of it they meet: some a third, some three times as much, some nothing.
/// </summary>
public sealed record SimulationFaults
{
    /// <summary>Gets the faults of a simulation in which nothing goes wrong; the order of things is still explored.</summary>
    public static SimulationFaults None { get; } = new()
    {
        RefusedCommits = 0, LostCommits = 0, LostAnswers = 0, FailedReads = 0, Outages = 0, LateNews = 0,
    };

    /// <summary>Gets how often a commit fails and the caller knows that nothing is stored. 0.02 by default.</summary>
    public double RefusedCommits { get; init; } = 0.02;

    /// <summary>Gets how often a commit fails, nothing is stored, and the caller has to look. 0.02 by default.</summary>
    public double LostCommits { get; init; } = 0.02;

    /// <summary>Gets how often a commit is stored and the answer is lost. 0.04 by default.</summary>
    public double LostAnswers { get; init; } = 0.04;

    /// <summary>Gets how often a read, a look-up or a heartbeat fails. 0.02 by default.</summary>
    public double FailedReads { get; init; } = 0.02;

    /// <summary>Gets how often the store goes away for up to 20 seconds, for all hosts. 0.003 by default.</summary>
    public double Outages { get; init; } = 0.003;

    /// <summary>Gets how often a host hears late of what another has committed. 0.3 by default.</summary>
    public double LateNews { get; init; } = 0.3;

    /// <summary>
    /// Gets how often a host crashes at a commit, right before or right after it is stored. 0 by default: a scenario has to reckon with
    /// <see cref="SimulatedHostCrashedException"/>, and to start another host.
    /// </summary>
    public double Crashes { get; init; }
}
