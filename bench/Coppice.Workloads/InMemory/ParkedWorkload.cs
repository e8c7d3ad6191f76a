using System.Globalization;

namespace Coppice.Workloads;

/// <summary>What a parked task takes of the managed memory.</summary>
internal static class ParkedWorkload
{
    internal static async Task<Figures> RunAsync(Parameters parameters)
    {
        var tasks = parameters.Int("tasks", 100_000);
        var body = parameters.Text("body") == "token" ? Bodies.ParkedOnToken : Bodies.Parked;
        await using var store = new InMemoryTaskStore();
        await using var manager = await BackgroundTaskManager.StartAsync(store, new() { ShutdownGracePeriod = TimeSpan.FromMinutes(1) });
        await ParkAsync(manager, body, 10);
        await CancelAsync(manager);

        var before = WarmUp.BytesInUse();
        await ParkAsync(manager, body, tasks);
        var parked = WarmUp.BytesInUse() - before;
        await CancelAsync(manager);
        var ended = WarmUp.BytesInUse() - before;
        return new Figures { ["bytes"] = (double)parked / tasks, ["bytes_ended"] = (double)ended / tasks };
    }

    /// <summary>Spawns the tasks and waits until every body has begun to wait.</summary>
    private static async Task ParkAsync(BackgroundTaskManager manager, Func<TaskContext, Task<TaskOutcome>> body, int tasks)
    {
        var parked = new Countdown(tasks);
        for (var i = 0; i < tasks; i++)
        {
            await manager.SpawnAsync(Thread(i), context =>
            {
                var task = body(context);
                parked.Signal();
                return task;
            });
        }

        await parked.Reached;
    }

    private static async Task CancelAsync(BackgroundTaskManager manager)
    {
        for (var i = 0; i < ThreadCount; i++)
        {
            await manager.CancelThreadAsync(Thread(i));
            while (await manager.HasRunningAsync(Thread(i)))
            {
                await Task.Yield();
            }
        }
    }

    private const int ThreadCount = 100;

    private static string Thread(int number) => "thread-" + (number % ThreadCount).ToString(CultureInfo.InvariantCulture);
}
