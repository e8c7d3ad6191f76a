using System.Text.Json;

namespace Coppice.Cli.Tests.Migration;

/// <summary>A file with a bit of everything that a store can hold, drawn from a seed, which a host has left in the middle of its work.</summary>
internal sealed class Plantation : IMessageTransport
{
    private const int Threads = 4;

    private readonly Random _random;
    private readonly List<string> _tasks = [];

    private Plantation(int seed) => _random = new Random(seed);

    /// <summary>Gets the work that only the hosts after the move know how to do.</summary>
    public static TaskKind<int, string> Later { get; } = new("later") { Recovery = RecoveryPolicy.Idempotent };

    /// <summary>Gets work of which some steps are done when the host goes.</summary>
    public static TaskKind<int, string> Grow { get; } = new("grow")
    {
        Recovery = RecoveryPolicy.Resumable,
        Retry = new RetryPolicy { MaxRetryAttempts = 3, Delay = TimeSpan.FromSeconds(1), UseJitter = false },
    };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string SomeThread => $"thread {_random.Next(Threads)} ♠";

    private string? SomeTask => _tasks.Count == 0 ? null : _tasks[_random.Next(_tasks.Count)];

    public static async Task MakeAsync(string path, int seed)
    {
        var plantation = new Plantation(seed);
        await using var store = await SqliteTaskStore.OpenAsync(path, cancellationToken: Stop);
        var options = new BackgroundTaskOptions
        {
            ShutdownGracePeriod = TimeSpan.FromMilliseconds(1), MessageTransport = plantation, FirstMessageRetry = TimeSpan.FromMinutes(1), LongestMessageRetry = TimeSpan.FromMinutes(1),
        };
        options.Tasks.Add(Grow, (input, context) => GrowAsync(input, context, failsAt: 2));
        await using var manager = await BackgroundTaskManager.StartAsync(store, options, Stop);
        await plantation.FillAsync(manager);
    }

    /// <summary>Three steps and a checkpoint; before one of them it may fail as long as it has not failed yet.</summary>
    public static async Task<string> GrowAsync(int input, DurableTaskContext context, int? failsAt = null)
    {
        var rings = new List<string>();
        for (var ring = 0; ring < 3; ring++)
        {
            if (ring == failsAt)
            {
                throw new InvalidOperationException("frost");
            }

            var width = input * (ring + 1);
            rings.Add(await context.StepAsync("ring", _ => Task.FromResult($"{width} mm"), new StepOptions { Key = $"ring-{ring}" }));
            await context.State.SetAsync(ring);
        }

        return string.Join(", ", rings);
    }

    bool IMessageTransport.Carries(string toThreadId, string? toAgentId) => toThreadId.StartsWith("far", StringComparison.Ordinal);

    ValueTask IMessageTransport.SendAsync(OutgoingMessage message, CancellationToken cancellationToken) => throw (message.ToThreadId == "far-away"
        ? new MessageRejectedException("nobody lives there")
        : new InvalidOperationException("the line is dead"));

    private async Task FillAsync(BackgroundTaskManager manager)
    {
        await manager.RestoreAsync(SomeThread, Snapshot(), Stop);
        for (var i = 0; i < 60; i++)
        {
            await ActAsync(manager, i);
        }

        await SpawnAsync(
            manager, "large",
            static _ => Task.FromResult(TaskOutcome.Success(JsonSerializer.SerializeToElement(new string('x', 1_000_000)))), wait: true);
        await manager.SpawnAsync(Grow, SomeThread, 7, new SpawnOptions { IdempotencyKey = new string('k', 200) }, Stop);
        await EventuallyAsync(manager, static task => task.Work is { Kind: "grow" } work && work.Failures == 0 && !task.State.IsTerminal());

        // These two are what a host leaves behind that dies.
        await SpawnAsync(
            manager, "never ends",
            static _ => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System).ContinueWith(static _ => TaskOutcome.Cancelled, TaskScheduler.Default),
            wait: false);
        await manager.SpawnAgentAsync(
            SomeThread,
            static async agent => { await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System); agent.CloseInbox(); return TaskOutcome.Cancelled; },
            new SpawnOptions { Name = "left agent" }, Stop);
    }

    private Task ActAsync(BackgroundTaskManager manager, int i) => _random.Next(9) switch
    {
        0 =>
            SpawnAsync(manager, null, task => { task.Emit("progress", new { i, text = "\u2028 <&> 🌲" }); return Task.FromResult(TaskOutcome.Success(new { i, at = 1.50m })); }, wait: true),
        1 => SpawnAsync(manager, $"name {i}", static _ => Task.FromResult(TaskOutcome.Failure("it\nbroke\t\u0001")), wait: true),
        2 => CancelAsync(manager),
        3 =>
            manager.SpawnAsync(Later, SomeThread, i, new SpawnOptions { Priority = _random.Next(-2, 3), IdempotencyKey = $"key {i}", Description = "later…" }, Stop).AsTask(),
        4 =>
            manager.SpawnAsync(Later, SomeThread, i, new SpawnOptions { Delay = TimeSpan.FromMilliseconds(_random.Next(1, 4000)), Timeout = TimeSpan.FromHours(1) }, Stop).AsTask(),
        5 =>
            manager.SpawnAsync(Grow, SomeThread, i, new SpawnOptions { Name = $"tree {i}", Lineage = new TaskLineage { TaskId = SomeTask, RunId = $"run {i % 3}" } }, Stop).AsTask(),
        6 => ReadAsync(manager),
        7 => PostAsync(manager, i),
        _ => AgentAsync(manager),
    };

    private async Task SpawnAsync(BackgroundTaskManager manager, string? name, Func<TaskContext, Task<TaskOutcome>> body, bool wait)
    {
        var lineage =
            new TaskLineage { TaskId = _random.Next(3) == 0 ? SomeTask : null, RunId = $"run {_random.Next(3)}", CallId = "call", AgentId = "agent" };
        var id = await manager.SpawnAsync(
            SomeThread, body, new SpawnOptions { Name = name, Lineage = lineage, Type = "sort", Notify = (NotifyPolicy)_random.Next(2) },
            Stop);
        _tasks.Add(id);
        if (wait)
        {
            await manager.WaitAsync(id, Stop);
        }
    }

    private async Task CancelAsync(BackgroundTaskManager manager)
    {
        var id = await manager.SpawnAsync(
            SomeThread, static async task => { await task.WhenCancelledAsync(); return TaskOutcome.Cancelled; }, null, Stop);
        await manager.CancelTreeAsync(id, Stop);
        await manager.WaitAsync(id, Stop);
    }

    private async Task ReadAsync(BackgroundTaskManager manager)
    {
        await using var inbox = await manager.OpenInboxAsync(SomeThread, Stop);
        var mail = await inbox.DrainAsync(Stop);
        if (mail.Count > 1)
        {
            var (count, entries) =
                (0, (JsonElement[])[JsonSerializer.SerializeToElement(new { role = "user", text = "é\0🌲" }), JsonSerializer.SerializeToElement(1.0)]);
            await foreach (var _ in manager.ReadConversationAsync(inbox.ThreadId, Stop))
            {
                count++;
            }

            await inbox.AppendAsync(count, entries, mail[mail.Count / 2].Sequence, Stop);
        }
    }

    private async Task PostAsync(BackgroundTaskManager manager, int i)
    {
        var to = (string[])[SomeThread, SomeThread, "far-off", "far-away"];
        await manager.PostAsync(
            to[_random.Next(to.Length)], new MessageSender(SomeThread, "sender"), $"message {i}",
            new PostOptions { MessageId = $"id {i}", TimeToLive = TimeSpan.FromDays(1) }, Stop);
    }

    private async Task AgentAsync(BackgroundTaskManager manager)
    {
        var id = await manager.SpawnAgentAsync(
            SomeThread, static async agent => { await agent.WhenCancelledAsync(); return TaskOutcome.Cancelled; }, null, Stop);
        await manager.SendAsync(id, new MessageSender(SomeThread, "sender"), "never read", Stop);
        await manager.CancelAsync(id, Stop);
        await manager.WaitAsync(id, Stop);
    }

    private static async Task EventuallyAsync(BackgroundTaskManager manager, Func<TaskSnapshot, bool> isUnwanted)
    {
        for (var more = true; more;)
        {
            more = false;
            await foreach (var task in manager.QueryAsync(new TaskQuery(), Stop))
            {
                more |= isUnwanted(task);
            }

            await Task.Yield();
        }
    }

    private static IEnumerable<TaskSnapshot> Snapshot()
    {
        foreach (var id in (string[])["é-🌲", "bg_17", "BG 3", new string('ü', 128)])
        {
            yield return new TaskSnapshot
            {
                TaskId = id, State = TaskState.Completed, CreatedAt = DateTimeOffset.UnixEpoch.AddDays(id.Length), CompletedAt = DateTimeOffset.UnixEpoch.AddDays(1),
                Lineage = new TaskLineage { TaskId = "not there" }, Result = JsonSerializer.SerializeToElement(new { a = 1 }),
            };
        }
    }
}
