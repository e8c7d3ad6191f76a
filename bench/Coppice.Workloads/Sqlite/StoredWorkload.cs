using System.Diagnostics;
using System.Globalization;

namespace Coppice.Workloads;

/// <summary>Tasks spawned to terminal in a SQLite file with full syncs: each caller awaits the spawn and the end of one and spawns the next.</summary>
internal static class StoredWorkload
{
    /// <summary>How many threads own the tasks of many callers.</summary>
    internal const int Threads = 20;

    internal static async Task<Figures> RunAsync(Parameters parameters)
    {
        var callers = parameters.Int("callers", 1);
        var tasks = parameters.Int("tasks", 4000) / callers * callers;
        using var folder = new ScratchFolder();
        await using var store = await SqliteTaskStore.OpenAsync(folder.File("tasks.db"));
        await using var manager = await BackgroundTaskManager.StartAsync(store);

        // The log reaches the size that it keeps, and the compiler has seen what is hot.
        var unmeasured = parameters.Int("unmeasured", callers == 1 ? 1500 : 30_000) / callers * callers;
        await Callers.RunAsync(callers, caller => SpawnAsync(manager, caller, unmeasured / callers));
        WarmUp.Collect();

        using var groups = new GroupSizes();
        var start = Stopwatch.GetTimestamp();
        await Callers.RunAsync(callers, caller => SpawnAsync(manager, caller, tasks / callers));
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        return new Figures { ["per_second"] = tasks / seconds, ["group"] = groups.Mean };
    }

    internal static string ThreadOf(int caller) => "thread-" + (caller % Threads).ToString(CultureInfo.InvariantCulture);

    internal static async Task SpawnAsync(BackgroundTaskManager manager, int caller, int count)
    {
        var thread = ThreadOf(caller);
        for (var i = 0; i < count; i++)
        {
            await manager.WaitAsync(await manager.SpawnAsync(thread, Bodies.Empty));
        }
    }
}
