namespace Coppice.CrashChild;

/// <summary>Many callers at once, until the process is killed: spawns, ends of every kind, events, messages and acknowledged reads.</summary>
internal static class BusyWorkload
{
    private const int Threads = 6;
    private const int CallersPerThread = 3;

    internal static async Task<int> RunAsync(string path, int seed)
    {
        await using var store = await SqliteTaskStore.OpenAsync(path);
        await using var manager = await BackgroundTaskManager.StartAsync(store);
        Acknowledgements.Write("BEGIN");
        var callers = new List<Task> { Task.Run(() => TalkAsync(manager)) };
        for (var thread = 0; thread < Threads; thread++)
        {
            for (var caller = 0; caller < CallersPerThread; caller++)
            {
                var threadId = $"thread-{thread}";
                var random = new Random((seed * 1000) + (thread * CallersPerThread) + caller);
                callers.Add(Task.Run(() => CallAsync(manager, threadId, random)));
            }
        }

        await Task.WhenAll(callers);
        return 0;
    }

    private static async Task CallAsync(BackgroundTaskManager manager, string threadId, Random random)
    {
        while (true)
        {
            var events = random.Next(4);
            var ending = random.Next(4);
            var id = await manager.SpawnAsync(threadId, async context =>
            {
                for (var i = 0; i < events; i++)
                {
                    context.Emit("step", i, CrashJson.Default.Int32);
                    await Task.Yield();
                }

                return ending switch
                {
                    0 => TaskOutcome.Success(events, CrashJson.Default.Int32),
                    1 => TaskOutcome.Failure("as asked"),
                    2 => TaskOutcome.Cancelled,
                    _ => await ParkAsync(context),
                };
            });
            Acknowledgements.Write($"S {id}");
            if (ending == 3)
            {
                if (random.Next(3) == 0)
                {
                    // Left running: an orphan, if the kill comes first.
                    continue;
                }

                await manager.CancelAsync(id);
            }

            var ended = await manager.WaitAsync(id);
            Acknowledgements.Write($"E {id} {ended.State.ToWireName()}");
        }
    }

    private static async Task<TaskOutcome> ParkAsync(TaskContext context)
    {
        await context.WhenCancelledAsync();
        return TaskOutcome.Cancelled;
    }

    /// <summary>An agent that is sent numbered messages, and acknowledges half of what it reads.</summary>
    private static async Task TalkAsync(BackgroundTaskManager manager)
    {
        var thread = new TaskCompletionSource<string>();
        var id = await manager.SpawnAgentAsync("talk", async context =>
        {
            thread.SetResult(context.ThreadId);
            await foreach (var item in context.Inbox.ReadAllAsync(context.CancellationToken))
            {
                if (item.Sequence % 2 == 0)
                {
                    await context.Inbox.AckAsync(item.Sequence);
                    Acknowledgements.Write($"A {context.ThreadId} {item.Sequence}");
                }
            }

            return TaskOutcome.Cancelled;
        });
        Acknowledgements.Write($"S {id}");
        var threadId = await thread.Task;
        for (var number = 1; ; number++)
        {
            await manager.SendAsync(id, new MessageSender("talk", "tester"), $"{number}");
            Acknowledgements.Write($"M {threadId} {number}");
        }
    }
}
