using System.Globalization;

namespace Coppice.Workloads;

/// <summary>Tasks spawned to terminal in a SQLite file with full syncs: each caller awaits the spawn and the end of one and spawns the next.</summary>
internal static class StoredWorkload
{
    /// <summary>How many threads own the tasks of many callers.</summary>
    internal const int Threads = 20;

    internal static async Task<Figures> RunAsync(Parameters parameters)
    {
        using var folder = new ScratchFolder();
        await using var store = await SqliteTaskStore.OpenAsync(folder.File("tasks.db"));
        var (perSecond, groups) = await new StoredRun(parameters).MeasureAsync(store, new BackgroundTaskOptions(), SpawnAsync);
        return new Figures { ["per_second"] = perSecond, ["group"] = groups.Mean };
    }

    internal static string ThreadOf(int caller) => "thread-" + (caller % Threads).ToString(CultureInfo.InvariantCulture);

    internal static Task SpawnAsync(BackgroundTaskManager manager, int caller, int count) => SpawnAsync(manager, ThreadOf(caller), count);

    /// <summary>Spawns so many, one after the end of the other.</summary>
    internal static async Task SpawnAsync(BackgroundTaskManager manager, string thread, int count)
    {
        for (var i = 0; i < count; i++)
        {
            await manager.WaitAsync(await manager.SpawnAsync(thread, Bodies.Empty));
        }
    }
}
