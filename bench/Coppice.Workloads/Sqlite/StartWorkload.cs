using System.Diagnostics;

namespace Coppice.Workloads;

/// <summary>Opening a store and starting a manager on it, as the first thing that a process does.</summary>
internal static class StartWorkload
{
    internal static async Task<Figures> RunAsync(Parameters parameters)
    {
        var path = PreparedFile.PathOf(parameters);
        var finished = parameters.Int("tasks", 1_000_000);
        var before = WarmUp.BytesInUse();

        var start = Stopwatch.GetTimestamp();
        await using var store = await SqliteTaskStore.OpenAsync(path);
        await using var manager = await BackgroundTaskManager.StartAsync(store);
        var elapsed = Stopwatch.GetElapsedTime(start);

        var bytes = WarmUp.BytesInUse() - before;
        return await manager.GetAsync("bg_0") is { State: TaskState.Completed }
            ? new Figures { ["ms"] = elapsed.TotalMilliseconds, ["bytes"] = bytes, ["bytes_a_task"] = (double)bytes / finished }
            : throw new InvalidOperationException("The file does not hold the finished tasks.");
    }
}

/// <summary>Opening the same file with nothing of ours, and reading one row.</summary>
internal static class StartFloor
{
    internal static Task<Figures> RunAsync(Parameters parameters)
    {
        var path = PreparedFile.PathOf(parameters);
        _ = WarmUp.BytesInUse();
        var start = Stopwatch.GetTimestamp();
        using var database = new RawDatabase(path);
        database.Execute("PRAGMA journal_mode = WAL");
        database.Execute("PRAGMA synchronous = FULL");
        _ = database.Number("SELECT next_task FROM meta");
        return Task.FromResult(new Figures { ["ms"] = Stopwatch.GetElapsedTime(start).TotalMilliseconds });
    }
}

/// <summary>What a task leaves in managed memory that a manager on a SQLite store has run to its end.</summary>
internal static class FinishedMemory
{
    internal static async Task<Figures> RunAsync(Parameters parameters)
    {
        const int Callers = 256;
        var tasks = parameters.Int("tasks", 100_000) / Callers * Callers;
        using var folder = new ScratchFolder();
        await using var store = await SqliteTaskStore.OpenAsync(folder.File("tasks.db"), new() { Synchronous = SqliteSynchronous.Normal });
        await using var manager = await BackgroundTaskManager.StartAsync(store);
        await SpawnAsync(Math.Min(tasks, 20_000 / Callers * Callers));

        var before = WarmUp.BytesInUse();
        await SpawnAsync(tasks);
        return new Figures { ["bytes_a_task"] = (double)(WarmUp.BytesInUse() - before) / tasks };

        Task SpawnAsync(int count) =>
            Workloads.Callers.RunAsync(Callers, caller => StoredWorkload.SpawnAsync(manager, caller, count / Callers));
    }
}
