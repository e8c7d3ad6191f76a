namespace Coppice.ClusterHost;

/// <summary>One caller that spawns tasks of all sorts, waits for some and cancels some.</summary>
internal sealed class TaskCaller(HostPlan plan, int number, BackgroundTaskManager manager, HostLog log)
{
    internal const int Threads = 4;

    private const int Keys = 300;
    private const int AgentMessages = 4;

    private static readonly string[] Names = ["red", "green", "blue"];
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private readonly Random _random = new((plan.Seed * 31) + number);
    private readonly List<string> _known = [];

    internal async Task RunAsync(CancellationToken finish)
    {
        while (!finish.IsCancellationRequested)
        {
            try
            {
                await ActAsync();
            }
            catch (TaskStoreException e)
            {
                ClusterMember.Fault(log, e);
                await Pause.For(_random.Next(20, 150), CancellationToken.None);
            }
            catch (SpawnException e)
            {
                log.Write($"L {e.Error}");
            }

            await Pause.For(_random.Next(5, 60), CancellationToken.None);
        }
    }

    private async Task ActAsync()
    {
        var thread = $"t{_random.Next(Threads)}";
        switch (_random.Next(20))
        {
            case < 6:
                await SpawnAsync(thread, name: null);
                break;
            case < 10:
                await SpawnAsync(thread, Names[_random.Next(Names.Length)]);
                break;
            case < 13:
                await SpawnAsync(HostKinds.Steps, thread);
                break;
            case < 15:
                await SpawnAsync(HostKinds.Again, thread);
                break;
            case < 17:
                await SpawnAsync(HostKinds.Once, thread);
                break;
            case < 18:
                await TalkAsync(thread);
                break;
            default:
                await CancelAsync();
                break;
        }
    }

    private async Task SpawnAsync(string thread, string? name)
    {
        var (pause, events, fails) = (_random.Next(400), _random.Next(3), _random.Next(8) == 0);
        var id = await manager.SpawnAsync(thread, context => BodyAsync(context, pause, events, fails), new SpawnOptions { Name = name });
        log.Write($"S {thread} {id} {name ?? "-"}");
        Remember(id);
        if (_random.Next(3) > 0)
        {
            await WaitAsync(id);
        }
    }

    private async Task<TaskOutcome> BodyAsync(TaskContext context, int pause, int events, bool fails)
    {
        log.Write($"B {context.TaskId}");
        for (var i = 0; i < events; i++)
        {
            context.Emit("step", i, HostJson.Default.Int32);
        }

        try
        {
            await Pause.For(pause, context.CancellationToken);
        }
        catch (OperationCanceledException)
        {
            log.Write($"O {context.TaskId} stopped -");
            throw;
        }

        var receipt = Guid.NewGuid().ToString("N");
        log.Write($"O {context.TaskId} {(fails ? "failed" : "completed")} {receipt}");
        return fails ? TaskOutcome.Failure(receipt) : TaskOutcome.Success(receipt, HostJson.Default.String);
    }

    private async Task WaitAsync(string id)
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            var ended = await manager.WaitAsync(id, patience.Token);
            log.Write($"E {id} {ended.State.ToWireName()}");
        }
        catch (OperationCanceledException)
        {
            // Its host, or the database, takes longer than that.
        }
    }

    private async Task<string> SpawnAsync(TaskKind<WorkInput, string> kind, string thread)
    {
        var key = $"{kind.Name}-{_random.Next(Keys)}";
        var task = await manager.SpawnAsync(kind, thread, new WorkInput(_random.Next(1, 4), _random.Next(120)), new SpawnOptions { IdempotencyKey = key });
        log.Write($"K {thread} {key} {task.Id}");
        Remember(task.Id);
        return task.Id;
    }

    /// <summary>Has an agent, on whichever host, and sends it numbered messages: each until it was taken, and none before the one before it.</summary>
    private async Task TalkAsync(string thread)
    {
        var agent = await manager.SpawnAsync(HostKinds.Reader, thread, new WorkInput(AgentMessages, 0));
        log.Write($"K {thread} - {agent.Id}");
        var mailbox = (await ClusterMember.PersistAsync(log, async () => await manager.GetAsync(agent.Id)))!.AgentThreadId!;
        for (var message = 1; message <= AgentMessages; message++)
        {
            var content = $"{plan.Name}.{agent.Id} {message}";
            await ClusterMember.PersistAsync(log, async () => await manager.PostAsync(
                mailbox, new MessageSender(thread, "caller"), content, new PostOptions { MessageId = content.Replace(' ', '-') }));
            log.Write($"G {agent.Id} {content}");
        }
    }

    private async Task CancelAsync()
    {
        if (_known.Count > 0)
        {
            var id = _known[_random.Next(_known.Count)];
            log.Write($"X {id}");
            await manager.CancelAsync(id);
        }
    }

    private void Remember(string id)
    {
        _known.Add(id);
        if (_known.Count > 50)
        {
            _known.RemoveAt(0);
        }
    }
}
