namespace Coppice.Testing;

/// <summary>What is said when code has left the simulation's one thread.</summary>
internal static class Escapes
{
    internal const string Advice =
        "What runs in a simulation must not leave its thread. Instead of Task.Run, await the method itself; instead of Task.Delay(time) and "
        + "Task.Yield, Task.Delay(time, clock) with the clock of the host or the world; instead of files, sockets and processes, a stand-in "
        + "that answers by such a clock; and sources and semaphores whose continuations do not run asynchronously.";

    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    /// <summary>When nothing is left to do, gives code that has left the simulation a moment to show itself: then that is what went wrong.</summary>
    internal static void AwaitReport(SimulationLoop loop)
    {
        var since = TimeProvider.System.GetTimestamp();
        SpinWait.SpinUntil(() => loop.Escape is not null || TimeProvider.System.GetElapsedTime(since) > Patience);
        loop.ThrowIfEscaped();
    }

    internal static string Describe(string what) =>
        $"'{what}' was called from outside the simulation. {Advice}{Environment.NewLine}It came from:{Environment.NewLine}{Environment.StackTrace}";
}
