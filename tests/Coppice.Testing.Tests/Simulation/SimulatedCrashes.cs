namespace Coppice.Testing.Tests;

/// <summary>Work on a host that crashes.</summary>
internal static class SimulatedCrashes
{
    /// <summary>Waits for work that ends with its host at the latest.</summary>
    internal static async Task UnlessCrashedAsync(this Task work)
    {
        try
        {
            await work;
        }
        catch (SimulatedHostCrashedException)
        {
            // That is what hosts do here.
        }
    }
}
