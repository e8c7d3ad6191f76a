namespace Coppice.CrashChild;

/// <summary>Many callers at once on tasks of registered kinds, until the process is killed; or nobody, until all that is there has ended.</summary>
internal static class DurableWorkload
{
    private const int Threads = 3;
    private const int CallersPerThread = 3;
    private const int Keys = 400;

    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(200);

    /// <summary>Spawns and cancels until the process is killed, after a commit.</summary>
    internal static async Task<int> RunAsync(string path, string logPath, int seed, int commit, int pause)
    {
        using var log = new PaidLog(logPath);
        var kill = new KillSwitch(commit, TimeSpan.FromMicroseconds(pause));
        await using var store = await SqliteTaskStore.OpenAsync(path, new SqliteTaskStoreOptions { CommitSeam = kill.OnCommit });
        await using var manager = await StartAsync(store, log);
        await Task.WhenAll(Enumerable.Range(0, Threads * CallersPerThread).Select(caller =>
            Task.Run(() => CallAsync(manager, log, $"thread-{caller % Threads}", new Random((seed * 100) + caller)))));
        return 0;
    }

    /// <summary>Lets what is there come to its end.</summary>
    internal static async Task<int> FinishAsync(string path, string logPath)
    {
        using var log = new PaidLog(logPath);
        await using var store = await SqliteTaskStore.OpenAsync(path);
        await using var manager = await StartAsync(store, log);
        await foreach (var task in manager.QueryAsync(new TaskQuery { States = [TaskState.Pending, TaskState.Running] }))
        {
            await manager.WaitAsync(task.TaskId);
        }

        return 0;
    }

    private static async Task<BackgroundTaskManager> StartAsync(ITaskStore store, PaidLog log)
    {
        var options = new BackgroundTaskOptions();
        _ = new WorkKinds(log, options.Tasks);
        return await BackgroundTaskManager.StartAsync(store, options);
    }

    private static async Task CallAsync(BackgroundTaskManager manager, PaidLog log, string thread, Random random)
    {
        while (true)
        {
            var kind = WorkKinds.All[random.Next(WorkKinds.All.Count)];
            var key = $"{kind.Name}-{random.Next(Keys)}";
            var delay = random.Next(2) * random.Next(60);
            var input = new WorkInput(random.Next(1, 5), random.Next(4), random.Next(8), delay);
            if (kind.Retry == RetryPolicy.None)
            {
                input = input with { Fails = 0 };
            }

            var asked = manager.TimeProvider.GetUtcNow().ToUnixTimeMilliseconds();
            var task = await manager.SpawnAsync(kind, thread, input, new SpawnOptions
            {
                IdempotencyKey = key,
                Delay = delay == 0 ? null : TimeSpan.FromMilliseconds(delay),
                Priority = random.Next(-1, 3),
            });
            log.Write($"S {key} {task.Id}");
            if (!task.WasKnown)
            {
                log.Write($"D {task.Id} {asked + delay}");
            }

            if (random.Next(12) == 0)
            {
                log.Write($"X {task.Id}");
                await manager.CancelAsync(task.Id);
            }
            else if (random.Next(3) > 0)
            {
                await Task.WhenAny(manager.WaitAsync(task.Id), Task.Delay(Patience, manager.TimeProvider));
            }
        }
    }
}
