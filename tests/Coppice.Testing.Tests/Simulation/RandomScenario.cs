namespace Coppice.Testing.Tests;

/// <summary>
/// Everything that can be asked of managers, by several callers on up to three hosts that crash, stand still, leave and come back.
/// </summary>
internal sealed class RandomScenario(SimulationWorld world) : Scenario(world)
{
    private static readonly string[] Threads = ["t0", "t1", "t2"];
    private static readonly string[] Mailboxes = [.. Threads, "remote"];
    private static readonly string[] Names = ["x", "y"];

    private int _messages;
    private int _spawnsLeft = 25;

    internal static Task RunAsync(SimulationWorld world) => new RandomScenario(world).PlayAsync(32);

    protected override async Task NextAsync()
    {
        var host = Pick(Alive);
        var choice = World.Choose(29);
        World.Note($"does {choice} on {host.Name}");
        switch (choice)
        {
            case 0 or 1: await World.DelayAsync(TimeSpan.FromMilliseconds(1 + World.Choose(50))); break;
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
            case 21: await World.DelayAsync(TimeSpan.FromSeconds(1 + World.Choose(40))); break;
            case 22: host.Crash(); break;
            case 23: _ = PauseAsync(host, TimeSpan.FromSeconds(1 + World.Choose(40))); break;
            case 24 when Alive.Length < 3: await StartHostAsync(); break;
            case 26 or 27: await DoAsync(host, PostAsync); break;
            case 28: await DoAsync(host, LookAtFailedAsync); break;
            case 25: _ = host.ShutDownAsync().UnlessCrashedAsync(); break;
            default: await DoAsync(host, manager => manager.PruneAsync(TimeSpan.FromSeconds(World.Choose(10))).AsTask()); break;
        }
    }

    protected override void Configure(BackgroundTaskOptions options)
    {
        options.ShutdownGracePeriod = TimeSpan.FromSeconds(5);
        options.MaxUnreadMessages = 5;
        options.MaxUnflushedEvents = 3;
        options.MaxUnreadEvents = 20;
        options.MaxDepth = 4;
        options.MaxMessageAttempts = 3;
        options.MaxMessagesUnderWay = 2;
        if (World.Choose(3) == 1)
        {
            options.MessageTransport = new Loop(this, options);
        }

        if (World.Choose(2) == 0)
        {
            options.OnUnreadMail = (threadId, _) => OnUnreadMailAsync(options, threadId);
        }
    }

    private async ValueTask OnUnreadMailAsync(BackgroundTaskOptions options, string threadId)
    {
        if (World.Choose(3) == 1)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), options.TimeProvider);
        }

        if (World.Choose(3) == 1 && Alive.FirstOrDefault(host => host.Options == options) is { } host)
        {
            await TolerateAsync(() => ReadInboxAsync(host, host.Manager, threadId));
        }
    }

    protected override bool IsAnswer(Exception e) => base.IsAnswer(e) || e is InboxTakenOverException or ConversationConflictException;

    private SpawnOptions Options() => new()
    {
        Name = World.Choose(3) == 1 ? Pick(Names) : null,
        Lineage = World.Choose(4) switch
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
            Tasks.Add(await manager.SpawnAsync(threadId, context => BodyAsync(host, context), options, token));
        }
    }

    private async Task SpawnAgentAsync(SimulatedHost host, BackgroundTaskManager manager, string threadId, SpawnOptions? options)
    {
        if (_spawnsLeft-- > 0)
        {
            options = World.Choose(3) == 2 && Agents.Count > 0 ? (options ?? new()) with { Continues = Pick(Agents) } : options;
            var id = await manager.SpawnAgentAsync(threadId, context => AgentAsync(host, context), options);
            Tasks.Add(id);
            Agents.Add(id);
        }
    }

    private async Task SpawnAndGiveUpAsync(SimulatedHost host, BackgroundTaskManager manager)
    {
        using var source = new CancellationTokenSource(TimeSpan.FromMilliseconds(World.Choose(5)), host.Time);
        await SpawnAsync(host, manager, Pick(Threads), Options(), source.Token);
    }

    private async Task<TaskOutcome> BodyAsync(SimulatedHost host, TaskContext context)
    {
        var steps = World.Choose(5);
        for (var i = 0; i < steps; i++)
        {
            switch (World.Choose(7))
            {
                case 0: await Task.Delay(TimeSpan.FromMilliseconds(1 + World.Choose(20)), host.Time); break;
                case 1 or 2: context.Emit("step", i); break;
                case 3: await TolerateAsync(() => SpawnAsync(host, context.Manager, Pick(Threads), options: null)); break;
                case 4: await TolerateAsync(() => SpawnAgentAsync(host, context.Manager, Pick(Threads), options: null)); break;
                case 5: await Task.Delay(TimeSpan.FromSeconds(1 + World.Choose(30)), host.Time, context.CancellationToken); break;
                default: await TolerateAsync(() => context.Manager.CancelTreeAsync(AnyTask()).AsTask()); break;
            }
        }

        return await EndAsync(host, context);
    }

    private async Task<TaskOutcome> AgentAsync(SimulatedHost host, AgentTaskContext context)
    {
        var items = World.Choose(4);
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

        if (World.Choose(3) == 1)
        {
            context.CloseInbox();
        }

        await TolerateAsync(() => SpawnAsync(host, context.Manager, context.ThreadId, options: null));
        return await EndAsync(host, context);
    }

    private async Task<TaskOutcome> EndAsync(SimulatedHost host, TaskContext context)
    {
        switch (World.Choose(9))
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
                await Task.Delay(TimeSpan.FromSeconds(1 + World.Choose(20)), host.Time);
                return TaskOutcome.Success("late");
            default:
                await Task.Delay(Timeout.InfiniteTimeSpan, host.Time);
                throw new InvalidOperationException("An infinite delay has ended.");
        }
    }

    private async Task SendAsync(BackgroundTaskManager manager)
    {
        if (World.Choose(3) == 2)
        {
            await manager.PostInputAsync(Pick(Threads), JsonValue.Parse($"[{{\"role\":\"user\",\"content\":\"input {_messages++}\"}}]"));
            return;
        }

        var to = Agents.Count > 0 && World.Choose(5) != 4 ? Pick(Agents) : AnyTask();
        var sender = new MessageSender((await manager.GetAsync(to))?.OwnerThreadId ?? "t0", "sender");
        for (var i = World.Choose(4); i >= 0; i--)
        {
            await manager.SendAsync(to, sender, $"message {_messages++}");
        }
    }

    private async Task PostAsync(BackgroundTaskManager manager)
    {
        var sender = new MessageSender(Pick(Threads), "sender");
        for (var i = World.Choose(3); i >= 0; i--)
        {
            await manager.PostAsync(World.Choose(2) == 0 ? Pick(Threads) : "remote", sender, $"post {_messages++}", new PostOptions
            {
                MessageId = World.Choose(3) == 1 ? "id-" + World.Choose(3) : null,
                TimeToLive = World.Choose(2) == 1 ? TimeSpan.FromSeconds(1 + World.Choose(20)) : null,
            });
        }
    }

    private async Task LookAtFailedAsync(BackgroundTaskManager manager)
    {
        var threadId = Pick(Threads);
        await manager.ListFailedMessagesAsync(threadId);
        if (World.Choose(3) == 1)
        {
            await manager.ClearFailedMessagesAsync(threadId);
        }
    }

    private async Task ReadInboxAsync(SimulatedHost host, BackgroundTaskManager manager, string threadId)
    {
        var inbox = await manager.OpenInboxAsync(threadId);
        for (var i = World.Choose(4); i > 0; i--)
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1 + World.Choose(20)), host.Time);
            var item = await inbox.ReadAsync(patience.Token);
            await FinishMailAsync(manager, inbox, item);
        }

        if (World.Choose(2) == 0)
        {
            await inbox.DisposeAsync();
        }
    }

    private async Task FinishMailAsync(BackgroundTaskManager manager, Inbox inbox, InboxItem item)
    {
        switch (World.Choose(4))
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
        var left = 1 + World.Choose(5);
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
        await foreach (var task in manager.ExportAsync(World.Choose(2) == 0 ? null : Pick(Threads)))
        {
            snapshot.Add(task);
        }

        if (World.Choose(2) == 1)
        {
            snapshot.Add(new TaskSnapshot { TaskId = TaskIds.Format(World.Choose(60)), State = Pick(Enum.GetValues<TaskState>()) });
            snapshot.Add(new TaskSnapshot { TaskId = "foreign-" + World.Choose(3), State = TaskState.Running });
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
        if (World.Choose(4) == 3)
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

    private string Run() => "r" + World.Choose(2);
}
