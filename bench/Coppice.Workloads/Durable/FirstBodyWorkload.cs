using System.Diagnostics;

namespace Coppice.Workloads;

/// <summary>From opening a file with many pending tasks until the first of their bodies runs, as the first thing that a process does.</summary>
internal static class FirstBodyWorkload
{
    internal static async Task<Figures> RunAsync(Parameters parameters)
    {
        var path = PreparedFile.PathOf(parameters);
        _ = WarmUp.BytesInUse();
        var first = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);

        var start = Stopwatch.GetTimestamp();
        await using var store = await SqliteTaskStore.OpenAsync(path);
        var opened = Stopwatch.GetElapsedTime(start);
        await using var manager = await BackgroundTaskManager.StartAsync(store, DurableKinds.Options(DurableKinds.Echo, async (input, context) =>
        {
            // It is handed back when the process ends, so the file has as many pending tasks for the next run.
            first.TrySetResult(Stopwatch.GetTimestamp());
            await Bodies.Forever(context.CancellationToken);
            return input;
        }));
        var ran = await first.Task;
        return new Figures { ["ms"] = Stopwatch.GetElapsedTime(start, ran).TotalMilliseconds, ["open_ms"] = opened.TotalMilliseconds };
    }
}
