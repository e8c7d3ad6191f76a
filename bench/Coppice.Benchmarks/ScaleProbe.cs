using System.Diagnostics;
using System.Globalization;

namespace Coppice.Benchmarks;

/// <summary>Measures each operation in a store that holds so many other tasks. Prints name and nanoseconds a call.</summary>
internal static class ScaleProbe
{
    internal const string Argument = "--scale-probe";
    internal const string GetAny = "get, any of them";
    internal const int Threads = 1000;
    internal const int LiveShare = 10;

    private const int Rounds = 7;

    internal static async Task<int> RunAsync(int others)
    {
        await using var store = new InMemoryTaskStore();
        await using var manager = await BackgroundTaskManager.StartAsync(store, new() { ShutdownGracePeriod = TimeSpan.Zero });
        await FillAsync(manager, others);

        var own = await SpawnParkedAsync(manager, "own", 64);
        await MeasureAsync("get", 200_000, async count =>
        {
            for (var i = 0; i < count; i++)
            {
                await manager.GetAsync(own[i % own.Length]);
            }
        });

        var random = new Random(1);
        var any = Enumerable.Range(0, 50_000).Select(_ => $"bg_{random.Next(others)}").ToArray();
        await MeasureAsync(GetAny, any.Length, async count =>
        {
            for (var i = 0; i < count; i++)
            {
                await manager.GetAsync(any[i]);
            }
        });

        await MeasureAsync("send", 5_000, async count =>
        {
            var agent = await manager.SpawnAgentAsync("own", async context =>
            {
                await context.WhenCancelledAsync();
                return TaskOutcome.Cancelled;
            });
            var from = new MessageSender("own", "planner");
            return async () =>
            {
                for (var i = 0; i < count; i++)
                {
                    await manager.SendAsync(agent, from, "look at the diff");
                }
            };
        });

        var spawned = 0;
        await MeasureAsync("spawn, named", 20_000, async count =>
        {
            for (var i = 0; i < count; i++)
            {
                await manager.SpawnAsync("own", static _ => Task.CompletedTask, new() { Name = "worker-" + spawned++.ToString(CultureInfo.InvariantCulture) });
            }
        });

        await MeasureAsync("cancel", 5_000, async count =>
        {
            var ids = await SpawnParkedAsync(manager, "cancelled", count);
            return async () =>
            {
                foreach (var id in ids)
                {
                    await manager.CancelAsync(id);
                }
            };
        });

        await MeasureAsync("cancel a tree of 10", 500, async count =>
        {
            var roots = new string[count];
            for (var i = 0; i < count; i++)
            {
                roots[i] = (await SpawnParkedAsync(manager, "cancelled", 1))[0];
                await SpawnParkedAsync(manager, "cancelled", 9, new() { Lineage = new() { TaskId = roots[i] } });
            }

            return async () =>
            {
                foreach (var root in roots)
                {
                    await manager.CancelTreeAsync(root);
                }
            };
        });
        return 0;
    }

    private static Task MeasureAsync(string name, int count, Func<int, Task> work) =>
        MeasureAsync(name, count, n => Task.FromResult(() => work(n)));

    /// <summary>Prepares and runs the work some times, the first to warm up, and prints the median of the others.</summary>
    private static async Task MeasureAsync(string name, int count, Func<int, Task<Func<Task>>> prepare)
    {
        GC.Collect();
        var nanoseconds = new List<double>();
        for (var round = 0; round < Rounds; round++)
        {
            var work = await prepare(count);
            var start = Stopwatch.GetTimestamp();
            await work();
            nanoseconds.Add(Stopwatch.GetElapsedTime(start).TotalNanoseconds / count);
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}\t{Report.Median(nanoseconds.Skip(2)):0}"));
    }

    private static async Task FillAsync(BackgroundTaskManager manager, int others)
    {
        var ended = new List<string>();
        for (var i = 0; i < others; i++)
        {
            var thread = "other-" + (i % Threads).ToString(CultureInfo.InvariantCulture);
            if (i % LiveShare == 0)
            {
                await manager.SpawnAsync(thread, static task => task.WhenCancelledAsync());
            }
            else
            {
                ended.Add(await manager.SpawnAsync(thread, static _ => Task.CompletedTask));
            }
        }

        foreach (var id in ended)
        {
            await manager.WaitAsync(id);
        }
    }

    private static async Task<string[]> SpawnParkedAsync(BackgroundTaskManager manager, string thread, int count, SpawnOptions? options = null)
    {
        var ids = new string[count];
        for (var i = 0; i < count; i++)
        {
            ids[i] = await manager.SpawnAsync(thread, static task => task.WhenCancelledAsync(), options);
        }

        return ids;
    }
}
