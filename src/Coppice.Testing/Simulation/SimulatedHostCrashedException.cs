namespace Coppice.Testing;

/// <summary>The simulated host crashed before the code that ran in it had ended. That code is never heard of again.</summary>
/// <param name="hostName">The host.</param>
public sealed class SimulatedHostCrashedException(string hostName)
    : Exception($"The simulated host '{hostName}' crashed before this had ended.")
{
    /// <summary>Gets the host's name.</summary>
    public string HostName { get; } = hostName;
}
