namespace Coppice.Workloads;

/// <summary>Concurrent callers.</summary>
internal static class Callers
{
    /// <summary>Runs the work for each caller at the same time and waits for all of them.</summary>
    internal static Task RunAsync(int callers, Func<int, Task> work) =>
        Task.WhenAll(Enumerable.Range(0, callers).Select(caller => Task.Run(() => work(caller))));
}
