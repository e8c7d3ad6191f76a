namespace Coppice.Testing;

/// <summary>What went wrong in a history.</summary>
/// <param name="Law">What was broken; two failures with the same are the same.</param>
/// <param name="What">How.</param>
/// <param name="Cause">The scenario's exception.</param>
internal sealed record Failure(string Law, string What, Exception? Cause = null)
{
    internal static Failure Hangs(string what) => new("Liveness: every wait ends", what);

    internal const string LimitLaw = "Simulation";

    internal static Failure Limit(SimulationLimitException e) => new(LimitLaw, e.Message);

    internal static Failure Scenario(Exception e) => new($"Scenario: {e.GetType().Name}", e.Message, e);
}
