namespace Coppice.Testing.Tests;

/// <summary>
/// Everything that can be asked of managers, by several callers on up to three hosts that crash, stand still, leave and come back.
/// </summary>
internal sealed class RandomScenario(SimulationWorld world)
{
    private static readonly string[] Threads = ["t0", "t1", "t2"];
    private static readonly string[] Mailboxes = [.. Threads, "remote"];
    private static readonly string[] Names = ["x", "y"];

    private readonly List<string> _taskIds = [];
    private readonly List<string> _agents = [];
    private int _hosts;
    private int _messages;
    private int _spawnsLeft = 25;

    internal static Task RunAsync(SimulationWorld world) => new RandomScenario(world).RunAsync();

    private SimulationWorld World => world;

    private SimulatedHost[] Alive => [.. world.Hosts.Where(static host => host.IsAlive && host.HasStarted && !host.IsDisposing)];

    private async Task RunAsync()
    {
        await StartHostAsync();
        var steps = 3 + world.Choose(30);
        for (var i = 0; i < steps; i++)
        {
            while (Alive.Length == 0)
            {
                await StartHostAsync();
            }

            await NextAsync();
        }
    }

    private async Task NextAsync()
    {
        var host = Pick(Alive);
        var choice = world.Choose(29);
        world.Note($"does {choice} on {host.Name}");
        switch (choice)
        {
            case 0 or 1: await world.DelayAsync(TimeSpan.FromMilliseconds(1 + world.Choose(50))); break;
            case 2 or 3 or 4: await DoAsync(host, manager => SpawnAsync(host, manager, Pick(Threads), Options())); break;
            case 5 or 6: await DoAsync(host, manager => SpawnAgentAsync(host, manager, Pick(Threads), Options())); break;
            case 7: await DoAsync(host, manager => SpawnAndGiveUpAsync(host, manager)); break;
            case 8 or 9: await DoAsync(host, manager => manager.CancelAsync(AnyTask()).AsTask()); break;
            case 10: await DoAsync(host, manager => manager.CancelTreeAsync(AnyTask()).AsTask()); break;
            case 11: await DoAsync(host, manager => manager.CancelThreadAsync(Pick(Threads)).AsTask()); break;
            case 12: await DoAsync(host, manager => manager.CancelRunAsync(Run()).AsTask()); break;
            case 13 or 14: await DoAsync(host, SendAsync); break;
            case 15 or 16: await DoAsync(host, manager => ReadInboxAsync(host, manager, Pick(Mailboxes))); break;
            case 17: await DoAsync(host, manager => manager.WaitAsync(AnyTask())); break;
            case 18: await DoAsync(host, WatchAsync); break;
            case 19: await DoAsync(host, RestoreAsync); break;
            case 20: await DoAsync(host, LookAsync); break;
            case 21: await world.DelayAsync(TimeSpan.FromSeconds(1 + world.Choose(40))); break;
            case 22: host.Crash(); break;
            case 23: _ = PauseAsync(host, TimeSpan.FromSeconds(1 + world.Choose(40))); break;
            case 24 when Alive.Length < 3: await StartHostAsync(); break;
            case 26 or 27: await DoAsync(host, PostAsync); break;
            case 28: await DoAsync(host, LookAtFailedAsync); break;
            case 25: _ = IgnoreCrashAsync(host.ShutDownAsync()); break;
            default: await DoAsync(host, manager => manager.PruneAsync(TimeSpan.FromSeconds(world.Choose(10))).AsTask()); break;
        }
    }

    private async Task StartHostAsync() => await world.StartHostAsync("h" + _hosts++, options =>
    {
        options.ShutdownGracePeriod = TimeSpan.FromSeconds(5);
        options.MaxUnreadMessages = 5;
        options.MaxUnflushedEvents = 3;
        options.MaxUnreadEvents = 20;
        options.MaxDepth = 4;
        options.MaxMessageAttempts = 3;
        options.MaxMessagesUnderWay = 2;
        if (world.Choose(3) == 1)
        {
            options.MessageTransport = new Loop(this, options);
        }

        if (world.Choose(2) == 0)
        {
            options.OnUnreadMail = (threadId, _) => OnUnreadMailAsync(options, threadId);
        }
    });

    private async ValueTask OnUnreadMailAsync(BackgroundTaskOptions options, string threadId)
    {
        if (world.Choose(3) == 1)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), options.TimeProvider);
        }

        if (world.Choose(3) == 1 && Alive.FirstOrDefault(host => host.Options == options) is { } host)
        {
            await TolerateAsync(() => ReadInboxAsync(host, host.Manager, threadId));
        }
    }

    /// <summary>A caller in the host's process. Sometimes the scenario waits for it.</summary>
    private async Task DoAsync(SimulatedHost host, Func<BackgroundTaskManager, Task> work)
    {
        var isAwaited = world.Choose(2) == 0;
        var task = IgnoreCrashAsync(host.RunAsync(manager => TolerateAsync(() => work(manager))));
        if (isAwaited)
        {
            await Task.WhenAny(task, world.DelayAsync(TimeSpan.FromSeconds(5)));
        }
    }

    private static async Task IgnoreCrashAsync(Task work)
    {
        try
        {
            await work;
        }
        catch (SimulatedHostCrashedException)
        {
            // That is what hosts do here.
        }
    }

    /// <summary>What may come of a call when stores fail and hosts go.</summary>
    private async Task TolerateAsync(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (Exception e) when (e is TaskStoreException or SpawnException or ObjectDisposedException or InboxTakenOverException
            or ConversationConflictException or KeyNotFoundException or OperationCanceledException)
        {
            // Each of them is an answer.
        }
        catch (Exception e)
        {
            world.Run.Unexpected ??= e;
        }
    }

    private async Task PauseAsync(SimulatedHost host, TimeSpan time)
    {
        host.Pause();
        await world.DelayAsync(time);
        host.Resume();
    }

    private SpawnOptions Options() => new()
    {
        Name = world.Choose(3) == 1 ? Pick(Names) : null,
        Lineage = world.Choose(4) switch
        {
            1 => new TaskLineage { TaskId = AnyTask() },
            2 => new TaskLineage { RunId = Run() },
            _ => TaskLineage.None,
        },
    };

    private async Task SpawnAsync(SimulatedHost host, BackgroundTaskManager manager, string threadId, SpawnOptions? options, CancellationToken token = default)
    {
        if (_spawnsLeft-- > 0)
        {
            _taskIds.Add(await manager.SpawnAsync(threadId, context => BodyAsync(host, context), options, token));
        }
    }

    private async Task SpawnAgentAsync(SimulatedHost host, BackgroundTaskManager manager, string threadId, SpawnOptions? options)
    {
        if (_spawnsLeft-- > 0)
        {
            options = world.Choose(3) == 2 && _agents.Count > 0 ? (options ?? new()) with { Continues = Pick(_agents) } : options;
            var id = await manager.SpawnAgentAsync(threadId, context => AgentAsync(host, context), options);
            _taskIds.Add(id);
            _agents.Add(id);
        }
    }

    private async Task SpawnAndGiveUpAsync(SimulatedHost host, BackgroundTaskManager manager)
    {
        using var source = new CancellationTokenSource(TimeSpan.FromMilliseconds(world.Choose(5)), host.Time);
        await SpawnAsync(host, manager, Pick(Threads), Options(), source.Token);
    }

    private async Task<TaskOutcome> BodyAsync(SimulatedHost host, TaskContext context)
    {
        var steps = world.Choose(5);
        for (var i = 0; i < steps; i++)
        {
            switch (world.Choose(7))
            {
                case 0: await Task.Delay(TimeSpan.FromMilliseconds(1 + world.Choose(20)), host.Time); break;
                case 1 or 2: context.Emit("step", i); break;
                case 3: await TolerateAsync(() => SpawnAsync(host, context.Manager, Pick(Threads), options: null)); break;
                case 4: await TolerateAsync(() => SpawnAgentAsync(host, context.Manager, Pick(Threads), options: null)); break;
                case 5: await Task.Delay(TimeSpan.FromSeconds(1 + world.Choose(30)), host.Time, context.CancellationToken); break;
                default: await TolerateAsync(() => context.Manager.CancelTreeAsync(AnyTask()).AsTask()); break;
            }
        }

        return await EndAsync(host, context);
    }

    private async Task<TaskOutcome> AgentAsync(SimulatedHost host, AgentTaskContext context)
    {
        var items = world.Choose(4);
        for (var i = 0; i < items; i++)
        {
            try
            {
                var item = await context.Inbox.ReadAsync(context.CancellationToken);
                await FinishMailAsync(context.Manager, context.Inbox, item);
            }
            catch (Exception e) when (e is TaskStoreException or InboxTakenOverException or ConversationConflictException)
            {
                // Its mail waits for the next reader.
            }
        }

        if (world.Choose(3) == 1)
        {
            context.CloseInbox();
        }

        await TolerateAsync(() => SpawnAsync(host, context.Manager, context.ThreadId, options: null));
        return await EndAsync(host, context);
    }

    private async Task<TaskOutcome> EndAsync(SimulatedHost host, TaskContext context)
    {
        switch (world.Choose(9))
        {
            case 0: return TaskOutcome.Success(1);
            case 1: return TaskOutcome.Failure("no");
            case 2: throw new InvalidOperationException("thrown");
            case 3: return null!;
            case 4: return TaskOutcome.Cancelled;
            case 5 or 6:
                await context.WhenCancelledAsync();
                context.CancellationToken.ThrowIfCancellationRequested();
                return TaskOutcome.Success("woken");
            case 7:
                // It does not listen.
                await Task.Delay(TimeSpan.FromSeconds(1 + world.Choose(20)), host.Time);
                return TaskOutcome.Success("late");
            default:
                await Task.Delay(Timeout.InfiniteTimeSpan, host.Time);
                throw new InvalidOperationException("An infinite delay has ended.");
        }
    }

    private async Task SendAsync(BackgroundTaskManager manager)
    {
        if (world.Choose(3) == 2)
        {
            await manager.PostInputAsync(Pick(Threads), JsonValue.Parse($"[{{\"role\":\"user\",\"content\":\"input {_messages++}\"}}]"));
            return;
        }

        var to = _agents.Count > 0 && world.Choose(5) != 4 ? Pick(_agents) : AnyTask();
        var sender = new MessageSender((await manager.GetAsync(to))?.OwnerThreadId ?? "t0", "sender");
        for (var i = world.Choose(4); i >= 0; i--)
        {
            await manager.SendAsync(to, sender, $"message {_messages++}");
        }
    }

    private async Task PostAsync(BackgroundTaskManager manager)
    {
        var sender = new MessageSender(Pick(Threads), "sender");
        for (var i = world.Choose(3); i >= 0; i--)
        {
            await manager.PostAsync(world.Choose(2) == 0 ? Pick(Threads) : "remote", sender, $"post {_messages++}", new PostOptions
            {
                MessageId = world.Choose(3) == 1 ? "id-" + world.Choose(3) : null,
                TimeToLive = world.Choose(2) == 1 ? TimeSpan.FromSeconds(1 + world.Choose(20)) : null,
            });
        }
    }

    private async Task LookAtFailedAsync(BackgroundTaskManager manager)
    {
        var threadId = Pick(Threads);
        await manager.ListFailedMessagesAsync(threadId);
        if (world.Choose(3) == 1)
        {
            await manager.ClearFailedMessagesAsync(threadId);
        }
    }

    private async Task ReadInboxAsync(SimulatedHost host, BackgroundTaskManager manager, string threadId)
    {
        var inbox = await manager.OpenInboxAsync(threadId);
        for (var i = world.Choose(4); i > 0; i--)
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1 + world.Choose(20)), host.Time);
            var item = await inbox.ReadAsync(patience.Token);
            await FinishMailAsync(manager, inbox, item);
        }

        if (world.Choose(2) == 0)
        {
            await inbox.DisposeAsync();
        }
    }

    private async Task FinishMailAsync(BackgroundTaskManager manager, Inbox inbox, InboxItem item)
    {
        switch (world.Choose(4))
        {
            case 1 or 2:
                await inbox.AckAsync(item.Sequence);
                break;
            case 3:
                var entries = await manager.ReadConversationAsync(inbox.ThreadId).CountAsync();
                await inbox.AppendAsync(entries, [JsonValue.Parse($"{{\"mail\":{item.Sequence}}}")], item.Sequence);
                break;
        }
    }

    private async Task WatchAsync(BackgroundTaskManager manager)
    {
        var left = 1 + world.Choose(5);
        await foreach (var change in manager.WatchAsync())
        {
            if (--left == 0)
            {
                return;
            }
        }
    }

    private async Task RestoreAsync(BackgroundTaskManager manager)
    {
        var snapshot = new List<TaskSnapshot>();
        await foreach (var task in manager.ExportAsync(world.Choose(2) == 0 ? null : Pick(Threads)))
        {
            snapshot.Add(task);
        }

        if (world.Choose(2) == 1)
        {
            snapshot.Add(new TaskSnapshot { TaskId = TaskIds.Format(world.Choose(60)), State = Pick(Enum.GetValues<TaskState>()) });
            snapshot.Add(new TaskSnapshot { TaskId = "foreign-" + world.Choose(3), State = TaskState.Running });
        }

        await manager.RestoreAsync(Pick(Threads), snapshot);
    }

    private async Task LookAsync(BackgroundTaskManager manager)
    {
        await manager.GetAsync(AnyTask());
        await manager.ListAsync(Pick(Threads));
        await manager.HasRunningAsync(Pick(Threads));
        await manager.FindLiveChildAsync(new TaskLineage { TaskId = AnyTask() }, Pick(Names));
        await manager.ListDeadLettersAsync(Pick(Threads));
        if (world.Choose(4) == 3)
        {
            await manager.ForgetConversationAsync(Pick(Threads));
        }
    }

    /// <summary>Brings messages back into the store that they came from, now and then late, twice or not at all.</summary>
    private sealed class Loop(RandomScenario scenario, BackgroundTaskOptions options) : IMessageTransport
    {
        public bool Carries(string toThreadId, string? toAgentId) => toThreadId == "remote";

        public async ValueTask SendAsync(OutgoingMessage message, CancellationToken cancellationToken)
        {
            var world = scenario.World;
            if (world.Choose(3) == 1)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(1 + world.Choose(5000)), options.TimeProvider, cancellationToken);
            }

            if (world.Choose(8) == 1)
            {
                throw world.Choose(2) == 0 ? new InvalidOperationException("not now") : new MessageRejectedException("never");
            }

            if (world.Hosts.FirstOrDefault(host => host.Options == options && host.HasStarted) is { } host)
            {
                await host.Manager.DeliverAsync(message.ToThreadId, message.Message, cancellationToken);
            }

            if (world.Choose(8) == 1)
            {
                throw new InvalidOperationException("It arrived, and the answer was lost.");
            }
        }
    }

    private T Pick<T>(IReadOnlyList<T> among) => among[world.Choose(among.Count)];

    private string AnyTask() => _taskIds.Count == 0 ? "bg_0" : Pick(_taskIds);

    private string Run() => "r" + world.Choose(2);
}
