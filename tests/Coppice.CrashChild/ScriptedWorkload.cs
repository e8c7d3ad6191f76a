namespace Coppice.CrashChild;

/// <summary>
/// A few tasks of registered kinds, asked for by key, and messages by id: whichever process comes after a killed one asks for the same again.
/// </summary>
internal static class ScriptedWorkload
{
    internal const string Thread = "owner";

    /// <summary>Runs until all has ended, or until the process is killed.</summary>
    /// <param name="path">The store.</param>
    /// <param name="logPath">Where it is written what was paid, and what was acknowledged.</param>
    /// <param name="commit">After which commit the process is killed, from 1; 0 for never.</param>
    /// <param name="pause">How long after it, in microseconds.</param>
    internal static async Task<int> RunAsync(string path, string logPath, int commit, int pause)
    {
        using var log = new PaidLog(logPath);
        var kill = new KillSwitch(commit, TimeSpan.FromMicroseconds(pause));
        var kinds = new ScriptKinds(log);
        var options = new BackgroundTaskOptions();
        kinds.Register(options.Tasks);
        await using (var store = await SqliteTaskStore.OpenAsync(path, new SqliteTaskStoreOptions { CommitSeam = kill.OnCommit }))
        {
            await using var manager = await BackgroundTaskManager.StartAsync(store, options);
            await Task.WhenAll(
                AskAsync(manager, log, kinds.Order),
                AskAsync(manager, log, kinds.Family),
                AskAsync(manager, log, kinds.Convert),
                AskAsync(manager, log, kinds.Once),
                AskAsync(manager, log, kinds.Flaky),
                TalkAsync(manager, log, kinds));
        }

        Console.WriteLine(FormattableString.Invariant($"COMMITS {kill.Commits}"));
        return 0;
    }

    private static async Task TalkAsync(BackgroundTaskManager manager, PaidLog log, ScriptKinds kinds)
    {
        var reader = await SpawnAsync(manager, log, kinds.Reader);
        var thread = (await manager.GetAsync(reader))!.AgentThreadId!;
        for (var number = 1; number <= ScriptKinds.Messages; number++)
        {
            await manager.PostAsync(thread, new MessageSender(Thread, "sender"), $"m{number}", new PostOptions { MessageId = $"message-{number}" });
            log.Write($"M {reader} m{number}");
        }

        await manager.WaitAsync(reader);
    }

    private static async Task AskAsync<TResult>(BackgroundTaskManager manager, PaidLog log, TaskKind<string, TResult> kind) =>
        await manager.WaitAsync(await SpawnAsync(manager, log, kind));

    private static async Task<string> SpawnAsync<TResult>(BackgroundTaskManager manager, PaidLog log, TaskKind<string, TResult> kind)
    {
        var task = await manager.SpawnAsync(kind, Thread, "input", new SpawnOptions { IdempotencyKey = kind.Name });
        log.Write($"S {kind.Name} {task.Id}");
        return task.Id;
    }
}
