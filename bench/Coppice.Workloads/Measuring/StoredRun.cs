using System.Diagnostics;

namespace Coppice.Workloads;

/// <summary>Tasks spawned to terminal in a new store by several callers, after some that are not measured.</summary>
internal sealed class StoredRun(Parameters parameters)
{
    internal int Callers { get; } = parameters.Int("callers", 1);

    /// <summary>Gets how many tasks are measured; each caller has as many.</summary>
    internal int Tasks => Shared(parameters.Int("tasks", 4000));

    // A log reaches the size that it keeps, and the compiler has seen what is hot.
    private int Unmeasured => Shared(parameters.Int("unmeasured", Callers == 1 ? 1500 : 30_000));

    /// <summary>Gets tasks a second of a host, and how many batches shared a transaction.</summary>
    /// <param name="store">The store.</param>
    /// <param name="options">The host's options.</param>
    /// <param name="spawn">Spawns for a caller, by its number, so many tasks, one after the end of the other.</param>
    internal async Task<(double PerSecond, GroupSizes Groups)> MeasureAsync(
        ITaskStore store, BackgroundTaskOptions options, Func<BackgroundTaskManager, int, int, Task> spawn)
    {
        await using var manager = await BackgroundTaskManager.StartAsync(store, options);
        await SpawnAsync(Unmeasured);
        WarmUp.Collect();

        using var groups = new GroupSizes();
        var start = Stopwatch.GetTimestamp();
        await SpawnAsync(Tasks);
        return (Tasks / Stopwatch.GetElapsedTime(start).TotalSeconds, groups);

        Task SpawnAsync(int tasks) => Workloads.Callers.RunAsync(Callers, caller => spawn(manager, caller, tasks / Callers));
    }

    /// <summary>Gets tasks a second of bare statements.</summary>
    /// <param name="write">Writes the rows of so many tasks of all callers.</param>
    internal async Task<double> MeasureFloorAsync(Func<int, Task> write)
    {
        await write(Unmeasured);
        WarmUp.Collect();

        var start = Stopwatch.GetTimestamp();
        await write(Tasks);
        return Tasks / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private int Shared(int tasks) => tasks / Callers * Callers;
}
