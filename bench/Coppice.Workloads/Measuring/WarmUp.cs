using System.Diagnostics;

namespace Coppice.Workloads;

/// <summary>Runs the work unmeasured until the compiler has seen what is hot, so that a run does not measure the compiler.</summary>
internal static class WarmUp
{
    /// <summary>Repeats the work for so many milliseconds, at least twice unless it is none, then collects what it left.</summary>
    internal static async Task RunAsync(int milliseconds, Func<Task> work)
    {
        var start = Stopwatch.GetTimestamp();
        for (var round = 0; milliseconds > 0 && (round < 2 || Stopwatch.GetElapsedTime(start).TotalMilliseconds < milliseconds); round++)
        {
            await work();
        }

        Collect();
    }

    /// <summary>Collects all there is to collect, also what finalizers let go.</summary>
    internal static void Collect()
    {
        for (var i = 0; i < 3; i++)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }
    }

    /// <summary>Gets the managed bytes that are in use after a collection.</summary>
    internal static long BytesInUse()
    {
        Collect();
        return GC.GetTotalMemory(forceFullCollection: true);
    }
}
