namespace Coppice.Testing.Tests;

/// <summary>
/// Tasks of registered kinds on up to three hosts that know different kinds, crash, stand still, leave and come back: spawned with keys, delays and
/// priorities, cancelled by every scope, with plain tasks among them.
/// </summary>
internal sealed class WorkScenario(SimulationWorld world) : Scenario(world)
{
    private static readonly string[] Threads = ["t0", "t1"];

    private static readonly string[] Doings =
    [
        "step", "step", "step", "branches", "loop", "kept", "checkpoint", "checkpoint", "sleep", "spawn", "spawn", "join", "emit", "pause", "pause", "fail", "fail",
        "deaf", "park", "cancel", "mail", "close", "plain", "again", "nap",
    ];

    private int _messages;
    private int _paid;
    private int _numbers;
    private int _spawnsLeft = 14;

    internal static Task RunAsync(SimulationWorld world) => new WorkScenario(world).PlayAsync(27);

    protected override async Task NextAsync()
    {
        var host = Pick(Alive);
        var choice = World.Choose(27);
        World.Note($"does {choice} on {host.Name}");
        switch (choice)
        {
            case 0 or 1: await World.DelayAsync(TimeSpan.FromMilliseconds(1 + World.Choose(50))); break;
            case 2 or 3 or 4 or 5 or 6: await DoAsync(host, manager => SpawnAsync(host, manager, Pick(WorkKinds.All))); break;
            case 7: await DoAsync(host, manager => SpawnAsync(host, manager, WorkKinds.Agent)); break;
            case 8: await DoAsync(host, manager => SpawnPlainAsync(host, manager)); break;
            case 9: await DoAsync(host, manager => manager.CancelAsync(AnyTask()).AsTask()); break;
            case 10: await DoAsync(host, manager => manager.CancelTreeAsync(AnyTask()).AsTask()); break;
            case 11: await DoAsync(host, CancelManyAsync); break;
            case 12 or 13: await DoAsync(host, SendAsync); break;
            case 14: await DoAsync(host, manager => manager.WaitAsync(AnyTask())); break;
            case 15: await DoAsync(host, manager => manager.ListAsync(Pick(Threads)).AsTask()); break;
            case 16 or 17: await World.DelayAsync(TimeSpan.FromSeconds(1 + World.Choose(20))); break;
            case 18: host.Crash(); break;
            case 19: _ = PauseAsync(host, TimeSpan.FromSeconds(1 + World.Choose(40))); break;
            case 20 or 21 when Alive.Length < 3: await StartHostAsync(); break;
            case 24: await DoAsync(host, manager => manager.WaitForChildrenAsync(AnyTask(), JoinCondition.Any)); break;
            case 25: await DoAsync(host, manager => SpawnAndGiveUpAsync(host, manager)); break;
            case 26: await DoAsync(host, RestoreAsync); break;
            case 22: _ = host.ShutDownAsync().UnlessCrashedAsync(); break;
            case 23: await DoAsync(host, manager => manager.PruneAsync(TimeSpan.FromSeconds(World.Choose(10))).AsTask()); break;
        }
    }

    protected override void Configure(BackgroundTaskOptions options)
    {
        options.ShutdownGracePeriod = TimeSpan.FromSeconds(5);
        options.AttemptGracePeriod = TimeSpan.FromSeconds(2);
        options.MaxConcurrentAttempts = 1 + World.Choose(4);
        options.MaxUnflushedEvents = 3;
        options.MaxUnreadEvents = 20;
        options.MaxDepth = 4;

        // Most hosts know every kind; some do not know one or two.
        var unknown = World.Choose(3) == 1 ? World.Choose(WorkKinds.All.Count) : -1;
        for (var i = 0; i < WorkKinds.All.Count; i++)
        {
            if (i != unknown && i != unknown - 1)
            {
                var kind = WorkKinds.All[i] == WorkKinds.Newer && World.Choose(3) == 1 ? WorkKinds.Older : WorkKinds.All[i];
                options.Tasks.Add(kind, (order, context) => BodyAsync(options, order, context));
            }
        }

        if (World.Choose(3) == 0)
        {
            options.OnUnreadMail = static (_, _) => ValueTask.CompletedTask;
        }
    }

    private Task<int> BodyAsync(BackgroundTaskOptions options, Order order, DurableTaskContext context) => new WorkBody(
        World, World.Hosts.First(host => host.Options == options), context, () => ++_paid, AnyTask).RunAsync(order);

    private async Task SpawnAndGiveUpAsync(SimulatedHost host, BackgroundTaskManager manager)
    {
        using var source = new CancellationTokenSource(TimeSpan.FromMilliseconds(World.Choose(5)), host.Time);
        if (_spawnsLeft-- > 0)
        {
            var kind = Pick(WorkKinds.All);
            Know(host, await manager.SpawnAsync(kind, Pick(Threads), Order(kind.HasInbox), Options(), source.Token), kind);
        }
    }

    private async Task RestoreAsync(BackgroundTaskManager manager)
    {
        var snapshot = new List<TaskSnapshot>();
        await foreach (var task in manager.ExportAsync(Pick(Threads)))
        {
            snapshot.Add(task);
        }

        await manager.RestoreAsync(Pick(Threads), snapshot);
    }

    private async Task SpawnAsync(SimulatedHost host, BackgroundTaskManager manager, TaskKind<Order, int> kind)
    {
        if (_spawnsLeft-- <= 0)
        {
            return;
        }

        var (threadId, order, options) = (Pick(Threads), Order(kind.HasInbox), Options());
        TaskHandle<int> handle;
        try
        {
            handle = await manager.SpawnAsync(kind, threadId, order, options);
        }
        catch (TaskStoreException) when (options.IdempotencyKey is not null && World.Choose(3) > 0)
        {
            // Again, from wherever that is possible now.
            if (Alive.Length > 0 && Pick(Alive) is { } other && other != host)
            {
                await other.RunAsync(another => TolerateAsync(async () => Know(other, await another.SpawnAsync(kind, threadId, order, options), kind)))
                    .UnlessCrashedAsync();
                return;
            }

            handle = await manager.SpawnAsync(kind, threadId, order, options);
        }

        Know(host, handle, kind);
    }

    private void Know(SimulatedHost host, TaskHandle<int> handle, TaskKind kind)
    {
        World.Run.Recorder.Add(new SpawnAcknowledged(host.Process, handle.Id));
        Tasks.Add(handle.Id);
        if (kind.HasInbox)
        {
            Agents.Add(handle.Id);
        }
    }

    private Order Order(bool isAgent)
    {
        var does = new List<Doing>();
        for (var i = World.Choose(7); i > 0; i--)
        {
            does.Add(new Doing(isAgent && World.Choose(2) == 1 ? "mail" : Pick(Doings), _numbers++));
        }

        return new Order(does);
    }

    private SpawnOptions Options() => new()
    {
        Name = World.Choose(6) == 1 ? "x" : null,
        Lineage = World.Choose(5) switch
        {
            1 => new TaskLineage { TaskId = AnyTask() },
            2 => new TaskLineage { RunId = "r" },
            _ => TaskLineage.None,
        },
        IdempotencyKey = World.Choose(3) == 1 ? "key " + World.Choose(4) : null,
        Delay = World.Choose(4) == 1 ? TimeSpan.FromMilliseconds(1 + World.Choose(15_000)) : null,
        Timeout = World.Choose(6) == 1 ? TimeSpan.FromSeconds(1 + World.Choose(30)) : null,
        Priority = World.Choose(3),
        Recovery = World.Choose(6) == 1 ? Pick(Enum.GetValues<RecoveryPolicy>()) : null,
    };

    private async Task SpawnPlainAsync(SimulatedHost host, BackgroundTaskManager manager)
    {
        if (_spawnsLeft-- > 0)
        {
            Tasks.Add(await manager.SpawnAsync(Pick(Threads), async context =>
            {
                await TolerateAsync(() => SpawnAsync(host, context.Manager, Pick(WorkKinds.All)));
                await context.WhenCancelledAsync();
                return TaskOutcome.Cancelled;
            }));
        }
    }

    private async Task CancelManyAsync(BackgroundTaskManager manager) =>
        await (World.Choose(2) == 0 ? manager.CancelThreadAsync(Pick(Threads)) : manager.CancelRunAsync("r"));

    private async Task SendAsync(BackgroundTaskManager manager)
    {
        var to = Agents.Count > 0 ? Pick(Agents) : AnyTask();
        var sender = new MessageSender((await manager.GetAsync(to))?.OwnerThreadId ?? "t0", "sender");
        for (var i = World.Choose(3); i >= 0; i--)
        {
            await manager.SendAsync(to, sender, $"message {_messages++}");
        }
    }
}
