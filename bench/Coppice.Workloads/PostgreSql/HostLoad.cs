using System.Diagnostics;
using System.Globalization;

namespace Coppice.Workloads;

/// <summary>Tasks spawned to terminal by many callers of one host: as many as it can, or so many a second.</summary>
internal sealed class HostLoad(BackgroundTaskManager manager, string name)
{
    private const int Callers = 128;

    /// <summary>Gets how many a second they are when each caller spawns the next at the end of the last.</summary>
    internal Task<double> FullAsync(TimeSpan span)
    {
        var start = Stopwatch.GetTimestamp();
        return RunAsync(static (_, _) => Task.CompletedTask, () => Stopwatch.GetElapsedTime(start) < span);
    }

    /// <summary>Spawns so many a second, as evenly as timers go, and gets how many there were.</summary>
    internal Task<double> PacedAsync(double perSecond, CancellationToken enough)
    {
        var start = Stopwatch.GetTimestamp();
        return RunAsync(
            async (caller, spawned) =>
            {
                var due = TimeSpan.FromSeconds((spawned + ((double)caller / Callers)) * Callers / perSecond) - Stopwatch.GetElapsedTime(start);
                if (due > TimeSpan.Zero)
                {
                    await Task.Delay(due, TimeProvider.System, CancellationToken.None);
                }
            },
            () => !enough.IsCancellationRequested);
    }

    private async Task<double> RunAsync(Func<int, int, Task> waitAsync, Func<bool> goesOn)
    {
        var start = Stopwatch.GetTimestamp();
        var all = 0;
        await Workloads.Callers.RunAsync(Callers, async caller =>
        {
            var thread = string.Create(CultureInfo.InvariantCulture, $"{name}-{caller % StoredWorkload.Threads}");
            for (var spawned = 0; goesOn(); spawned++)
            {
                await waitAsync(caller, spawned);
                await StoredWorkload.SpawnAsync(manager, thread, 1);
                Interlocked.Increment(ref all);
            }
        });
        return all / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
